"""Files that other programs run or obey by themselves, so that to write one is to run it later.

Named here is what needs no further word of the user's than to open a folder, to enter it, to commit, to
push, or to start a shell, an editor or Python. What is run by its own name or as part of a project
(Makefile, package.json, conftest.py, setup.py, any source) is not: to write it asks as any writing does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_RUNNERS = {
    # githooks(5); husky, pre-commit and lefthook put hooks there that call these.
    "git runs it at a commit or another step": (
        ".husky .githooks .git-hooks .pre-commit-config.y*ml lefthook.y*ml .lefthook.y*ml "
        "lefthook-local.y*ml .gitconfig .config/git"
    ),
    # `runOn: folderOpen`, paths of interpreters and linters, `exrc`, dir-local variables.
    "an editor runs it when the folder is opened": (
        ".vscode *.code-workspace .idea .zed .fleet .devcontainer .devcontainer.json .exrc .vimrc .gvimrc "
        "_vimrc .nvimrc .nvim.lua .config/nvim .vim .dir-locals*.el .emacs .emacs.d .sublime-project"
    ),
    # bash(1), zsh(1), fish(1), ksh(1), tcsh(1), direnv(1), mise.
    "a shell runs it when it starts or enters the folder": (
        ".bashrc .bash_profile .bash_login .bash_logout .bash_aliases .profile .zshrc .zshenv .zprofile "
        ".zlogin .zlogout .kshrc .mkshrc .cshrc .tcshrc .login .logout .inputrc .config/fish .envrc "
        ".autoenv* mise.toml mise.*.toml .mise.toml .mise.*.toml .config/mise etc/profile etc/profile.d "
        "etc/bash.bashrc"
    ),
    # https://docs.python.org/3/library/site.html, pdb, IPython.
    "Python runs it whenever it starts": (
        "sitecustomize.py sitecustomize usercustomize.py usercustomize *.pth .pdbrc .pythonrc* .ipython"
    ),
    # yarnPath and plugins, readPackage hooks, rustc wrappers and runners, extensions, init scripts.
    "a package manager or build tool runs it unasked": (
        ".yarn .pnpmfile.cjs .pnpmfile.mjs .cargo .mvn .bundle .gradle/init.d .gradle/init.gradle*"
    ),
    "the CI runs it once it is pushed": (
        ".github/workflows .github/actions .gitea/workflows .forgejo/workflows .gitlab-ci.y*ml .circleci "
        ".travis.y*ml azure-pipelines*.y*ml jenkinsfile .woodpecker .woodpecker.y*ml .drone.y*ml "
        "bitbucket-pipelines.y*ml .buildkite"
    ),
    # Hooks and tool servers of other assistants.
    "another assistant obeys it": (
        ".claude/settings*.json .claude/hooks .cursor/mcp.json .cursor/hooks* .gemini/settings.json .codex"
    ),
    "the system runs it when you log in, or by the clock": (
        ".config/autostart .config/systemd .xinitrc .xprofile .xsession .xsessionrc library/launchagents "
        "library/launchdaemons etc/systemd etc/cron* var/spool/cron etc/init.d"
    ),
}
"""Names of files and folders by what they do, folded; with a slash, one directly in the other."""


def _matcher(patterns: str) -> str:
    """A part of a regular expression for each pattern, which stands for whole names."""
    return "|".join(re.escape(each).replace(r"\*", "[^/]*") for each in patterns.split())


_REASONS = tuple(_RUNNERS)
_FOUND = re.compile(
    "/(?:" + "|".join(f"({_matcher(patterns)})" for patterns in _RUNNERS.values()) + ")(?=/)"
)


def why_run_unasked(names: Iterable[str]) -> str:
    """Why what is written at a path would run without a further word; empty where it would not.
    `names` are the folded parts of the path."""
    found = _FOUND.search(f"/{'/'.join(names)}/")
    if found is None or found.lastindex is None:
        return ""
    return f"{_REASONS[found.lastindex - 1]} ({found[found.lastindex]})"
