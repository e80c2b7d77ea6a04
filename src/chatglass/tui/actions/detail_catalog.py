"""The keys of one call in the inspector, of its text, and of the wire of a request."""

from __future__ import annotations

from chatglass.tui.actions.action import Action, Place


def _key(place: Place, id_: str, label: str, tooltip: str, command: str, *keys: str) -> Action:
    return Action(
        id=id_,
        label=label,
        tooltip=tooltip,
        keys=keys,
        place=place,
        command=command,
        palette=False,
    )


DETAIL_ACTIONS: tuple[Action, ...] = (
    _key(
        "inspector", "inspector.before", "Section before",
        "Show the section before; each has its number as a key too",
        "section_by(-1)", "left", "comma",
    ),
    _key(
        "inspector", "inspector.next", "Next section", "Show the next section",
        "section_by(1)", "right", "full_stop",
    ),
    _key("inspector", "inspector.find", "Find", "Find in the text of this call", "find", "slash"),
    _key("inspector", "inspector.copy", "Copy", "Copy this section of the call", "copy", "y"),
    _key(
        "inspector", "inspector.wire", "Wire",
        "Show what went over the wire in the request that made the call", "wire", "W",
    ),
    _key(
        "inspector", "inspector.message", "Message", "Show the message that made the call",
        "jump_to_message", "m",
    ),
    _key(
        "text", "text.fold", "Fold, or out", "Fold what is at the cursor, or go out to what it is in",
        "fold_or_out", "left", "h",
    ),
    _key(
        "text", "text.unfold", "Unfold, or in", "Unfold what is at the cursor, or go into it",
        "unfold_or_in", "right", "l",
    ),
    _key(
        "text", "text.toggle", "Fold or unfold", "Fold or unfold what is at the cursor",
        "toggle_fold", "space", "enter",
    ),
    _key(
        "text", "text.less", "One level less", "Show one level less of the JSON",
        "fold_deeper(-1)", "minus",
    ),
    _key(
        "text", "text.more", "One level more", "Show one level more of the JSON",
        "fold_deeper(1)", "plus", "equals_sign",
    ),
    _key("text", "text.fold_all", "Fold all", "Show the outermost level alone", "fold_to(1)", "0"),
    _key("text", "text.unfold_all", "Unfold all", "Unfold everything", "fold_to(33)", "asterisk"),
    _key(
        "text", "text.copy_value", "Copy value", "Copy the value at the cursor", "copy_value", "Y",
    ),
    _key(
        "text", "text.copy_path", "Copy path", "Copy the JSON path of the cursor", "copy_path", "P",
    ),
    _key(
        "wire", "wire.before", "Request before", "Show the session's request before this one",
        "request_by(-1)", "left_square_bracket",
    ),
    _key(
        "wire", "wire.next", "Next request", "Show the session's next request",
        "request_by(1)", "right_square_bracket",
    ),
    _key("wire", "wire.find", "Find", "Find in the text", "find", "slash"),
    _key("wire", "wire.copy", "Copy", "Copy the whole text, exactly as it is", "copy", "y"),
    _key(
        "wire", "wire.message", "Message", "Show the message that the request answered into",
        "jump_to_message", "m",
    ),
)  # fmt: skip
