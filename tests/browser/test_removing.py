"""Removing a training is not done by one press."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from components.figures.lab_runs import Row, runs_table

ROW = Row(
    id="run-1",
    title="LoRA",
    settings="",
    data="emotions",
    state="done",
    score=0.6,
    seconds=900.0,
    model="local/x",
    removable=True,
)


def test_the_first_press_asks_and_the_second_removes(module_page: Page) -> None:
    page = module_page
    page.set_content(str(runs_table([ROW])))
    page.evaluate(
        """async () => {
          window.sent = [];
          const trigger = (name, data) => window.sent.push([name, data]);
          (await import("./lab-runs.js")).start({ element: document.body, trigger });
        }"""
    )
    button = page.get_by_role("button")
    button.click()
    expect(button).to_have_text("Remove for good?")
    assert page.evaluate("sent") == []
    button.click()
    assert page.evaluate("sent") == [["remove", {"run": "run-1"}]]
    expect(button).to_be_disabled()
