"""Commands that attach something to the prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatglass.tui.commands.table import Command, refused

if TYPE_CHECKING:
    from chatglass.tui.app import ChatglassApp


async def attach(app: ChatglassApp, argument: str) -> None:
    """Attach a file or an image by its path."""
    from chatglass.chat.mentions import resolved

    composer = app.chat.composer
    if not argument:
        app.chat.say("/attach wants the path of a file or an image, such as /attach shot.png")
        return
    path = resolved(argument, composer.root)
    if path is None:
        refused(app, f"{argument} is no path.")
        return
    composer.attach(path)
    composer.focus()


async def paste_image(app: ChatglassApp, argument: str) -> None:
    """Attach the image on the clipboard."""
    from chatglass.chat.attached_files import read_image
    from chatglass.tui.clipboard_image import NoImage, clipboard_image

    try:
        data = await clipboard_image()
    except NoImage as error:
        app.chat.say(str(error), "warning")
        return
    app.chat.composer.attach_image(lambda: read_image(data, "pasted image"))
    app.chat.composer.focus()


COMMANDS: dict[str, Command] = {"prompt.attach": attach, "prompt.paste_image": paste_image}
