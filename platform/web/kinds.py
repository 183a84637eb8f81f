"""What kind of browser asks, on what system, by what it says of itself (User-Agent).

A coarse table: enough to tell one's telephone from the desk's computer. What a browser says is its
own word and is believed in nothing else. Names of kinds are in the words (`browser.…`, `system.…`).
"""

from __future__ import annotations

from collections.abc import Iterable

from ..identity.sessions import Kind
from .words import say

#: What to look for, in this order: nearly all say that they are Safari, most that they are Chrome.
BROWSERS = (
    ("wxwork/", "wecom"),
    ("micromessenger/", "wechat"),
    ("dingtalk", "dingtalk"),
    ("feishu", "feishu"),
    ("lark/", "feishu"),
    ("edg/", "edge"),
    ("edga/", "edge"),
    ("edgios/", "edge"),
    ("edge/", "edge"),
    ("opr/", "opera"),
    ("samsungbrowser/", "samsung"),
    ("huaweibrowser/", "huawei"),
    ("miuibrowser/", "xiaomi"),
    ("ucbrowser/", "uc"),
    ("qqbrowser/", "qq"),
    ("firefox/", "firefox"),
    ("fxios/", "firefox"),
    ("crios/", "chrome"),
    ("chrome/", "chrome"),
    ("safari/", "safari"),
)
#: An iPhone speaks of Mac OS X too, Android and ChromeOS are Linux.
SYSTEMS = (
    ("openharmony", "harmony"),
    ("harmonyos", "harmony"),
    ("android", "android"),
    ("iphone", "ios"),
    ("ipad", "ios"),
    ("windows", "windows"),
    ("cros ", "chromeos"),
    ("macintosh", "macos"),
    ("linux", "linux"),
)
LONGEST = 1000  # letters of a User-Agent that are looked at


def kind_of_agent(agent: str) -> Kind:
    """The kind of browser that says this of itself."""
    said = agent[:LONGEST].lower()
    return Kind(_first(BROWSERS, said), _first(SYSTEMS, said))


def _first(table: Iterable[tuple[str, str]], said: str) -> str:
    return next((kind for sign, kind in table if sign in said), "")


def kind_words(tongue: str, kind: Kind) -> str:
    """It in words: “Chrome, Windows”."""
    named = [
        say(tongue, f"{what}.{key}")
        for what, key in (("browser", kind.browser), ("system", kind.system))
        if key
    ]
    return say(tongue, "page.comma").join(named) or say(tongue, "browser.unknown")
