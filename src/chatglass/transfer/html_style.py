"""The style sheet within an HTML export: light and dark by the reader's own setting."""

STYLE = """
:root { color-scheme: light dark; --ground: #fbfbfd; --panel: #ffffff; --text: #1d2330;
  --faint: #5b6475; --line: #d5dae3; --accent: #2c5aa0; --bad: #a3232f; }
@media (prefers-color-scheme: dark) { :root { --ground: #13151c; --panel: #1a1d27;
  --text: #c8d0e0; --faint: #8a94a8; --line: #343b4d; --accent: #8fb4f0; --bad: #f08b95; } }
body { background: var(--ground); color: var(--text); font: 16px/1.5 system-ui, sans-serif;
  margin: 0 auto; max-width: 56rem; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; } h2 { font-size: .85rem; font-weight: 600; color: var(--faint); margin: 0; }
h3 { font-size: .8rem; color: var(--faint); margin: .6rem 0 .2rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; font-size: .85rem; }
dt { color: var(--faint); } dd { margin: 0; }
section { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem;
  margin: .8rem 0; padding: .6rem 1rem; }
section.user { border-left: .25rem solid var(--accent); }
section.branch { background: none; border-style: dashed; margin-top: 2rem; }
article + article { border-top: 2px solid var(--line); margin-top: 3rem; }
pre { white-space: pre-wrap; font: .85rem/1.45 ui-monospace, monospace; margin: .4rem 0; }
.text pre, details pre { background: var(--ground); border-radius: .3rem; padding: .5rem; }
section.user > pre { font: inherit; }
code { font: .85em ui-monospace, monospace; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border: 1px solid var(--line); padding: .2rem .6rem; }
blockquote { border-left: .2rem solid var(--line); color: var(--faint); margin: 0; padding-left: 1rem; }
details { border: 1px solid var(--line); border-radius: .3rem; margin: .5rem 0; padding: .2rem .6rem; }
summary { cursor: pointer; font-size: .85rem; color: var(--faint); }
footer { color: var(--faint); font-size: .8rem; } .forks { font-weight: 400; }
a { color: var(--accent); } .error { color: var(--bad); } img { max-width: 100%; }
"""
