"""The lab as visitors use it: from a file to a classifier of their own, beside others, after a crash."""

from __future__ import annotations

import csv
import re
import zipfile
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from components.lab.runs import KEY
from demos import PAGES, TASKS, text_classification
from tests.browser.conftest import OpenPage
from tests.browser.tour import PATIENCE, TRAINED, TRAINS, Visit

pytestmark = TRAINS

NAPS = ("The cat sleeps on the sofa", "My kitten purrs", "A tomcat sits on the roof", "Her cat hunts mice")
WALKS = ("The dog barks at the gate", "My puppy fetches the ball", "A hound runs", "His dog digs up bones")


def pets(path: Path) -> Path:
    """A table with two classes, no splits, and semicolons between its fields."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, delimiter=";")
        table.writerow(["remark", "animal"])
        for number in range(10):
            for texts, label in ((NAPS, "cat"), (WALKS, "dog")):
                table.writerows((f"{text}, day {number}.", label) for text in texts)
    return path


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def number(page: Page, option: str, value: object) -> None:
    box = page.locator(f"#lab-lora-{option} input[type=number]").first
    box.fill(str(value))
    box.press("Tab")


def prepare(page: Page, **options: object) -> None:
    """A run with LoRA, which is what the form starts with."""
    tab(page, "Train")
    expect(page.locator("#lab-train-data")).to_contain_text("train")
    for option, value in options.items():
        number(page, option, value)


def train(page: Page, **options: object) -> None:
    prepare(page, **options)
    page.locator("#lab-train").click()


def test_from_an_upload_to_a_model_chosen_on_the_classification_page(
    page: Page, open_page: OpenPage, app_url: str, tmp_path: Path
) -> None:
    page.goto("/lab")
    page.get_by_label("A file of my own").check()
    page.locator("#lab-file input[type=file]").set_input_files(pets(tmp_path / "pets.csv"))
    expect(page.locator("#lab-role-label input")).to_have_value(re.compile("animal"), timeout=PATIENCE)
    page.locator("#lab-use").click()
    expect(page.locator("#lab-about-data")).to_contain_text("80 rows")
    train(page, epochs=4)
    expect(page.locator("#lab-training-status")).to_contain_text("Done", timeout=TRAINED)
    expect(page.locator("#lab-training-curves .main-svg")).not_to_have_count(0)

    tab(page, "Judge")
    expect(page.locator("#lab-judge-compared")).to_contain_text("LoRA")
    tab(page, "Share")
    code = page.locator("#lab-share-about code").filter(has_text="local/")  # not the prepared run's files
    expect(code).to_have_text(re.compile(r"^local/pets-lora-[0-9a-f]{24}$"))
    name = code.inner_text()
    expect(page.locator("#lab-card")).to_contain_text("pets.csv")

    page.locator("#lab-prepare").click()
    with page.expect_download() as download:
        page.locator("#lab-download").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        names = {Path(one).name for one in archive.namelist()}
    assert {"README.md", "config.json", "adapter_config.json", "adapter_model.safetensors"} <= names
    page.locator("#lab-repo input, #lab-repo textarea").fill("me/pets")
    page.locator("#lab-token input, #lab-token textarea").fill("hf_some_token")
    page.locator("#lab-push").click()
    expect(page.locator("#lab-pushed")).to_contain_text("cannot be reached", timeout=PATIENCE)

    visit = Visit(page, text_classification.PAGE).open()
    title = name.removeprefix("local/")[: 6 - KEY]
    visit.pick_model(title)
    visit.fill("text", "The kitten sleeps beside the tomcat.")
    visit.run()
    assert visit.answer()["model"] == name
    assert visit.answer()["labels"][0]["label"] == "cat"

    # Nobody else sees it, whatever they ask for; who is given its id can use it.
    assert_nothing_names(name[-KEY:], app_url)
    other = open_page("/text-classification", elsewhere=True)
    assert title not in offered(other)
    other.goto(f"/text-classification?model={name}&text=Walking+in+the+park.")
    expect(other.locator("#text-classification-model input")).to_have_value(re.compile("pets-lora"))
    other.locator("#text-classification-run").click()
    expect(other.locator("#text-classification-result")).to_contain_text("dog", timeout=PATIENCE)
    payload = {"text": "The kitten sleeps.", "model": name}
    assert httpx.post(f"{app_url}/v1/text_classification", json=payload).json()["model"] == name
    page.goto("/lab?tab=share")
    page.get_by_label("Let everybody who uses this app select it").check()
    expect(page.locator("#lab-shared-status")).to_contain_text("everybody's pickers")
    other.goto("/text-classification")
    assert title in offered(other)
    page.get_by_label("Let everybody who uses this app select it").uncheck()
    expect(page.locator("#lab-shared-status")).to_contain_text("yours alone")
    assert_nothing_names(name[-KEY:], app_url)


def offered(page: Page) -> str:
    """What the picker has, once it knows."""
    box = page.locator("#text-classification-model input")
    expect(page.locator("#text-classification-model-about")).to_contain_text(
        re.compile("loaded|on this host|to download")
    )
    box.click()
    options = page.get_by_role("option")
    expect(options.first).to_be_visible()
    return " ".join(options.all_inner_texts())


def assert_nothing_names(key: str, app_url: str) -> None:
    """That no page, list, description or message of the app has a private model's key."""
    addresses = [
        "/v1/models",
        "/v1/openapi.json",
        "/gradio_api/mcp/schema",
        "/gradio_api/info",
        "/config",
        "/api",
    ]
    with httpx.Client(base_url=app_url, timeout=30) as client:
        for address in [*addresses, "/", *(f"/{one.slug}" for one in PAGES)]:
            assert key not in client.get(address).text, address
        for task in TASKS:
            answer = client.post(f"/v1/{task.name}", json={**task.example, "model": "local/nothing"})
            assert answer.status_code == 404
            assert key not in answer.text, task.name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("train", "420 train"),
        ("train", "A prepared run: LoRA"),
        ("judge", "These classifiers of the example set"),
        ("share", "adapter_model.safetensors"),
    ],
)
def test_a_tab_that_a_link_opens_knows_the_example_set(open_page: OpenPage, name: str, words: str) -> None:
    page = open_page(f"/lab?tab={name}", elsewhere=True)
    expect(page.locator(f"#lab-tab-{name}").get_by_text(words)).to_be_visible()


def test_two_visitors_train_one_after_the_other(open_page: OpenPage, subtests: pytest.Subtests) -> None:
    second = open_page("/lab", elsewhere=True)
    prepare(second, epochs=1, longest=8, batch=64)
    first = open_page()
    status = first.locator("#lab-training-status")
    with subtests.test("a run is watched though the example comes after it"):
        examples: list[tuple[Route, APIResponse]] = []

        def hold(route: Route) -> None:
            response = route.fetch()
            if "A prepared run" in response.text():
                examples.append((route, response))
            else:
                route.fulfill(response=response)

        first.goto("/lab")
        tab(first, "Train")
        expect(first.locator("#lab-train-data")).to_contain_text("train")
        tab(first, "Data")
        first.route("**/gradio_api/run/**", hold)
        train(first, epochs=50, batch=4)
        expect(status).to_contain_text("step", timeout=TRAINED)
        while not examples:  # on a busy host it may come later still; the suite's time limit bounds it
            first.wait_for_timeout(50)
        with first.expect_response(examples[-1][0].request.url):
            for route, response in examples:
                route.fulfill(response=response)
        expect(status).to_contain_text("step", timeout=PATIENCE)
        first.unroute_all(behavior="wait")
    second.locator("#lab-train").click()
    expect(second.locator("#lab-training-status")).to_contain_text("in line, 1 run is before this one")
    expect(second.locator("#lab-runs tbody tr")).to_have_count(1)
    first.locator("#lab-training-cancel").click()
    expect(status).to_contain_text("Cancelled", timeout=TRAINED)
    expect(second.locator("#lab-training-status")).to_contain_text("Done", timeout=TRAINED)
    expect(first.locator("#lab-runs tbody tr")).to_have_count(1)
    expect(first.locator("#lab-runs tbody")).not_to_contain_text("local/")
    expect(second.locator("#lab-runs tbody")).to_contain_text("local/")
