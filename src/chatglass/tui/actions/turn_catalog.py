"""The actions of a turn: stop, ask again, attach, queue, choose the model."""

from __future__ import annotations

from chatglass.tui.actions.action import Action

TURN_ACTIONS: tuple[Action, ...] = (
    Action(
        id="turn.stop",
        label="Stop",
        tooltip="Close what is open on top, else stop the turn; what was answered stays",
        keys=("escape",),
        slash="stop",
        footer=50,
    ),
    Action(
        id="answer.retry",
        label="Retry",
        tooltip="Ask for the last answer again, as a new branch",
        keys=("ctrl+r",),
        slash="retry",
    ),
    Action(
        id="prompt.edit",
        label="Edit prompt",
        tooltip="Write the last prompt (or the one under the cursor) anew, as a new branch",
        slash="edit",
    ),
    Action(
        id="prompt.attach",
        label="Attach",
        tooltip="Attach a file or an image to the prompt, as @path in it does",
        slash="attach",
        hint="path",
        palette=False,
    ),
    Action(
        id="prompt.paste_image",
        label="Paste image",
        tooltip="Attach the image on the clipboard to the prompt",
        keys=("alt+v",),
        slash="paste-image",
    ),
    Action(
        id="queue.send",
        label="Send what is queued",
        tooltip="Go on with the prompts that wait since a turn was stopped (Enter without text)",
        slash="continue",
    ),
    Action(
        id="queue.take_back",
        label="Take queued prompt back",
        tooltip="Put the last queued prompt into the composer again",
        slash="unqueue",
    ),
    Action(
        id="model.choose",
        label="Model",
        tooltip="Choose the endpoint and model that answer from now on",
        keys=("f3",),
        slash="model",
        hint="[endpoint/model]",
        footer=80,
    ),
)
