"""axe-core in Chromium: what in a page hinders a keyboard, a screen reader or weak eyes.

Pages within a page are not looked at: they have tests of their own.
"""

import html
import json
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
INSTALLED = CHROMIUM is not None and find_spec("axe_core_python") is not None

RUN = """<script>
addEventListener("load", () => setTimeout(() => axe.run(document, { iframes: false }).then((found) => {
  const told = found.violations.map((one) => ({ id: one.id, impact: one.impact,
    where: one.nodes.map((node) => node.html.slice(0, 120) + " · " + node.failureSummary) }));
  const pre = document.createElement("pre");
  pre.id = "told";
  pre.append(JSON.stringify({ violations: told, passed: found.passes.length }));
  document.body.replaceChildren(pre);
}), 500));
</script>"""


def violations(page: Path, *, dark: bool = False, width: int = 1280) -> list[str]:
    """The serious and critical violations of a page, each as one line."""
    import axe_core_python

    axe = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text("utf-8")
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text("utf-8"))
    script = axe.replace("</script", "<\\/script")
    tried = page.with_name(f"axe_{page.name}")
    tried.write_text(text.replace("</body>", f"<script>{script}</script>{RUN}</body>"), "utf-8")
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", f"--window-size={width},1000"]
    options += [f"--blink-settings=preferredColorScheme={0 if dark else 1}"]
    options += ["--virtual-time-budget=60000", "--dump-dom", tried.resolve().as_uri()]
    try:
        shown = subprocess.run([CHROMIUM, *options], capture_output=True, text=True, timeout=240)
    finally:
        tried.unlink()
    found = re.search(r'<pre id="told">(.*?)</pre>', shown.stdout, re.DOTALL)
    assert found, shown.stderr[-2000:]
    told = json.loads(html.unescape(found.group(1)))
    assert told["passed"] > 5, "or nothing was looked at"
    return [
        f"{page.name}: {one['impact']} {one['id']}: {where}"
        for one in told["violations"]
        if one["impact"] in ("serious", "critical")
        for where in one["where"]
    ]
