"""Removing a training is not done by one press."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from components.figures.lab_runs import Row, runs_table
from components.ui.chrome import ASSETS

ROW = Row(
    id="run-1",
    title="LoRA",
    settings="",
    data="feelings",
    state="done",
    score=0.6,
    seconds=900.0,
    model="local/x",
    removable=True,
)


def test_the_first_press_asks_and_the_second_removes(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content(str(runs_table([ROW])))
    page.evaluate(
        """(script) => {
          window.sent = [];
          const trigger = (name, data) => window.sent.push([name, data]);
          new Function("element", "trigger", script)(document.body, trigger);
        }""",
        (ASSETS / "lab-runs.js").read_text("utf-8"),
    )
    button = page.get_by_role("button")
    button.click()
    expect(button).to_have_text("Remove for good?")
    assert page.evaluate("sent") == []
    button.click()
    assert page.evaluate("sent") == [["remove", {"run": "run-1"}]]
    expect(button).to_be_disabled()
    page.close()
