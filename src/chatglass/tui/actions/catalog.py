"""Every action there is, with its default keys.

Keys are chosen so that nothing collides with the composer's editing keys (^A ^E ^U ^K ^W ^X ^V
^Y, of which only ^E is taken, on purpose) or with multiplexers (^A screen, ^B tmux). Keys that
are letters work only where the transcript has the focus.
"""

from __future__ import annotations

from chatglass.tui.actions.action import Action
from chatglass.tui.actions.app_catalog import APP_ACTIONS
from chatglass.tui.actions.approval_catalog import APPROVAL_ACTIONS
from chatglass.tui.actions.browser_catalog import BROWSER_ACTIONS
from chatglass.tui.actions.calls_catalog import CALLS_ACTIONS
from chatglass.tui.actions.composer_catalog import COMPOSER_ACTIONS
from chatglass.tui.actions.contents_catalog import CONTENTS_ACTIONS
from chatglass.tui.actions.context_catalog import CONTEXT_ACTIONS
from chatglass.tui.actions.detail_catalog import DETAIL_ACTIONS
from chatglass.tui.actions.find_catalog import FIND_ACTIONS
from chatglass.tui.actions.screen_catalog import SCREEN_ACTIONS
from chatglass.tui.actions.servers_catalog import SERVER_ACTIONS
from chatglass.tui.actions.session_catalog import SESSION_ACTIONS
from chatglass.tui.actions.tabs_catalog import TAB_ACTIONS, TABS_BY_NUMBER
from chatglass.tui.actions.tools_catalog import TOOLS_ACTIONS
from chatglass.tui.actions.transcript_catalog import TRANSCRIPT_ACTIONS
from chatglass.tui.actions.turn_catalog import TURN_ACTIONS
from chatglass.tui.actions.usage_catalog import USAGE_ACTIONS
from chatglass.tui.actions.view_catalog import VIEW_ACTIONS

CATALOG: tuple[Action, ...] = (
    *SESSION_ACTIONS,
    *TAB_ACTIONS,
    *TURN_ACTIONS,
    *FIND_ACTIONS,
    *VIEW_ACTIONS,
    *TRANSCRIPT_ACTIONS,
    *COMPOSER_ACTIONS,
    *CONTEXT_ACTIONS,
    *SCREEN_ACTIONS,
    *CALLS_ACTIONS,
    *DETAIL_ACTIONS,
    *USAGE_ACTIONS,
    *SERVER_ACTIONS,
    *CONTENTS_ACTIONS,
    *TOOLS_ACTIONS,
    *APPROVAL_ACTIONS,
    *BROWSER_ACTIONS,
    *APP_ACTIONS,
    *TABS_BY_NUMBER,
)
