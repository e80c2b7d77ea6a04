"""The keys of one call in the inspector, of its text, and of the wire of a request."""

from __future__ import annotations

from chatglass.tui.actions.action import Action, key_in

DETAIL_ACTIONS: tuple[Action, ...] = (
    key_in(
        "inspector", "inspector.before", "Section before",
        "Show the section before; each has its number as a key too",
        "left", "comma", command="section_by(-1)",
    ),
    key_in(
        "inspector", "inspector.next", "Next section",
        "Show the next section", "right", "full_stop", command="section_by(1)",
    ),
    key_in(
        "inspector", "inspector.find", "Find",
        "Find in the text of this call", "slash", footer=80,
    ),
    key_in("inspector", "inspector.copy", "Copy", "Copy this section of the call", "y", footer=90),
    key_in(
        "inspector", "inspector.wire", "Wire",
        "Show what went over the wire in the request that made the call", "W",
    ),
    key_in(
        "inspector", "inspector.message", "Message",
        "Show the message that made the call", "m", command="jump_to_message",
    ),
    key_in(
        "text", "text.fold", "Fold, or out",
        "Fold what is at the cursor, or go out to what it is in",
        "left", "h", command="fold_or_out",
    ),
    key_in(
        "text", "text.unfold", "Unfold, or in",
        "Unfold what is at the cursor, or go into it", "right", "l", command="unfold_or_in",
    ),
    key_in(
        "text", "text.toggle", "Fold or unfold",
        "Fold or unfold what is at the cursor", "space", "enter", command="toggle_fold",
    ),
    key_in(
        "text", "text.less", "One level less",
        "Show one level less of the JSON", "minus", command="fold_deeper(-1)",
    ),
    key_in(
        "text", "text.more", "One level more",
        "Show one level more of the JSON", "plus", "equals_sign", command="fold_deeper(1)",
    ),
    key_in(
        "text", "text.fold_all", "Fold all",
        "Show the outermost level alone", "0", command="fold_to(1)",
    ),
    key_in(
        "text", "text.unfold_all", "Unfold all",
        "Unfold everything", "asterisk", command="fold_to(33)",
    ),
    key_in("text", "text.copy_value", "Copy value", "Copy the value at the cursor", "Y"),
    key_in("text", "text.copy_path", "Copy path", "Copy the JSON path of the cursor", "P"),
    key_in(
        "wire", "wire.before", "Request before",
        "Show the session's request before this one",
        "left_square_bracket", command="request_by(-1)", footer=20,
    ),
    key_in(
        "wire", "wire.next", "Next request",
        "Show the session's next request",
        "right_square_bracket", command="request_by(1)", footer=30,
    ),
    key_in("wire", "wire.find", "Find", "Find in the text", "slash", footer=40),
    key_in("wire", "wire.copy", "Copy", "Copy the whole text, exactly as it is", "y", footer=50),
    key_in(
        "wire", "wire.message", "Message",
        "Show the message that the request answered into",
        "m", command="jump_to_message", footer=60,
    ),
)  # fmt: skip
