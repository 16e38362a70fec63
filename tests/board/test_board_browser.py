"""The Traces tab in a real browser: what the issue numbers is clicked and looked at."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow.fs
import pytest
from browser import Tab, chromium
from browser_runs import LONG_NAME, NASTY, odd, plant, walk, write
from tensorboard_server import Board, serve
from tensorboardX import SummaryWriter

from tbtrace.errors import Problems
from tbtrace.shelf import Shelf

New = Callable[..., Tab]
TRIES = 8
"""Of what is to be quick: other programs may hold up some of them, but not all."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def board(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """A server with data server, on some runs."""
    logdir = tmp_path_factory.mktemp("logdir")
    plant(logdir / "plant", *range(1, 9))
    plant(logdir / "live", 1, 2, 3)
    odd(logdir / NASTY.replace("/", ""))
    write(logdir / "long", *(walk(iteration, 1, 20) for iteration in range(1, 1001)))
    write(logdir / "wide", walk(1, 50, 1000))
    write(logdir / "grows", *(walk(iteration, 1, 20 * iteration) for iteration in (1, 2, 3)))
    with SummaryWriter(str(logdir / "plant")) as events:
        events.add_scalar("loss", 1.0, 1)  # so that there is another tab
    with serve(logdir, fast=True) as running:
        yield running


@pytest.fixture(scope="module")
def shared(browser: Any, board: Board) -> Tab:
    """A page for all tests that leave TensorBoard itself as it is."""
    return Tab(browser.new_page(), board.url)


@pytest.fixture
def new(browser: Any, shared: Tab) -> Iterator[New]:
    """Opens the tab, in a page of its own if wanted; at the end no console may have complained."""
    tabs = [shared]

    def open_tab(address: str = "", own: bool = False, url: str = "", alone: bool = False) -> Tab:
        if own or url:
            tabs.append(Tab(browser.new_page(), url or shared.url, alone=alone))
        tabs[-1].page.set_viewport_size({"width": 1280, "height": 720})
        return tabs[-1].open(address)

    yield open_tab
    errors = [error for tab in tabs for error in tab.errors]
    shared.errors.clear()
    shared.page.unroute_all()
    for tab in tabs[1:]:
        tab.page.close()
    assert errors == []


def test_chooses_run_split_iteration_and_episode(new: New) -> None:
    tab = new("&p.tbtrace.run=live")
    tab.caption("Iteration 3", "train, best", "return 32", "40 steps")
    tab.frame.get_by_label("Run", exact=True).select_option("plant")
    tab.caption("Iteration 3", "return 32")
    tab.button("worst").click()
    tab.caption("worst", "return 30")
    tab.page.keyboard.press("ArrowRight")
    tab.caption("Iteration 4", "worst", "return 40")  # the choice goes along
    tab.button("evaluation").click()
    tab.caption("Iteration 4", "evaluation", "return 40")
    tab.page.keyboard.press("ArrowRight")
    tab.caption("Iteration 6")  # the fifth has no evaluation
    number = tab.frame.get_by_role("spinbutton", name="Iteration", exact=True)
    for typed, iteration in (("3", "2"), ("99", "8"), ("", "8")):  # the one before; none: stays
        number.fill(typed)
        number.press("Enter")
        number.blur()
        tab.caption(f"Iteration {iteration}")
        assert number.input_value() == iteration


def test_a_click_into_the_returns_takes_that_episode(new: New) -> None:
    tab = new("&p.tbtrace.run=plant")
    tab.caption("Iteration 8")
    plot = tab.frame.locator(".scatter canvas").last
    box = plot.bounding_box()
    plot.click(position={"x": 8, "y": box["height"] - 3})  # the first iteration's least return
    tab.caption("Iteration 1", "picked", "return 10")
    plot.press("ArrowUp")
    tab.caption("Iteration 1", "picked", "return 11")
    assert plot.get_attribute("aria-valuetext") == "return 11, 2 of 3"
    tab.button("Next iteration").click()
    tab.caption("Iteration 2", "best", "return 22")


def test_looks_and_selection(new: New) -> None:
    tab = new("&p.tbtrace.run=plant&p.tbtrace.iteration=3")
    tab.caption("Iteration 3")
    seen = [tab.pixels()]

    def changed() -> None:
        seen.append(tab.pixels())
        assert seen[-1] not in seen[:-1]

    tab.frame.get_by_label("Colour by").select_option("channel:heat")
    tab.frame.locator(".legend", has_text="heat").wait_for()
    changed()
    tab.frame.get_by_label("Colour by").select_option("channel:state")
    tab.frame.locator(".legend", has_text="waiting").wait_for()
    changed()
    tab.frame.get_by_label("articles").uncheck()
    changed()
    tab.frame.get_by_label("Plane").select_option("xz")  # leaves out what is 2-D
    changed()
    tab.frame.get_by_label("drones").uncheck()
    tab.frame.get_by_label("articles").check()
    tab.message("Nothing is in this plane")
    tab.frame.get_by_label("drones").check()
    tab.frame.get_by_label("articles").uncheck()
    tab.caption()
    tab.frame.get_by_label("Filter entities").fill("nobody")
    tab.message("All entities are hidden")
    tab.button("Show all").click()
    tab.caption()
    tab.frame.get_by_label("Plane").select_option("xy")
    assert tab.pixels() == seen[2]
    tab.frame.get_by_role("button", name="a2").click()
    changed()
    assert json.loads(unquote(tab.address()["selected"])) == [["articles", "a2"]]
    tab.page.keyboard.press("Escape")
    tab.frame.locator(".entities [aria-pressed=true]").wait_for(state="detached")


def test_hover_names_and_click_selects_on_the_canvas(new: New) -> None:
    tab = new("&p.tbtrace.run=plant&p.tbtrace.iteration=3&p.tbtrace.text=drones/d")
    tab.caption("Iteration 3")
    box = tab.frame.locator(".stage canvas").bounding_box()
    card = tab.frame.locator(".card")
    middle = box["x"] + box["width"] / 2
    for y in range(int(box["y"]) + 20, int(box["y"] + box["height"]), 6):
        tab.page.mouse.move(middle, y)  # down, until it meets the drone's circle
        tab.pixels()  # it looks under the pointer once a frame
        if card.is_visible():
            break
    assert card.inner_text().startswith("d\n")
    tab.page.mouse.down()
    tab.page.mouse.up()
    tab.frame.locator(".entities [aria-pressed=true]", has_text="d").wait_for()
    before = tab.pixels()
    tab.page.mouse.wheel(0, -300)
    tab.page.mouse.down()
    tab.page.mouse.move(middle + 80, y + 40)
    tab.page.mouse.up()
    assert tab.pixels() != before
    tab.addressed("area=")
    tab.button("Fit").click()
    tab.page.wait_for_function("!location.hash.includes('area=')")


# Frames and steps a second while it plays.
PLAYED = """new Promise((resolve) => {
    const step = () => Number.parseInt(document.querySelector(".clock").textContent);
    const began = performance.now(), first = step();
    let frames = 0;
    const frame = () => {
        const seconds = (performance.now() - began) / 1000;
        if (seconds > 1) return resolve([frames / seconds, (step() - first) / seconds]);
        frames += 1;
        requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
})"""


def test_plays_steps_and_scrubs_at_full_rate(new: New) -> None:
    tab = new("&p.tbtrace.run=wide&p.tbtrace.speed=120")
    tab.caption("1000 steps")
    clock = tab.frame.locator(".clock")
    assert clock.inner_text() == "999 / 999"
    before = tab.pixels()
    tab.frame.get_by_label("Step", exact=True).fill("10")
    assert clock.inner_text() == "10 / 999"
    assert tab.pixels() != before
    tab.page.keyboard.press(".")
    tab.page.keyboard.press(".")
    tab.page.keyboard.press(",")
    assert clock.inner_text() == "11 / 999"
    tab.frame.get_by_label("Trail", exact=True).select_option("some")
    tab.addressed("trail=50")
    for _ in range(TRIES):
        tab.frame.get_by_label("Step", exact=True).fill("10")
        tab.button("Play").click()
        frames, steps = tab.inside.evaluate(PLAYED)
        tab.button("Pause").click()
        print(f"\n{frames:.0f} frames and {steps:.0f} steps a second")
        if frames > 20 and steps > 40:
            break
    assert frames > 20  # 58 to 60 where nothing else runs
    assert 40 < steps < 200


def test_new_iterations_come_by_themselves_and_old_ones_may_go(new: New, board: Board) -> None:
    tab = new("&p.tbtrace.run=live&p.tbtrace.iteration=2")
    tab.caption("Iteration 2")
    before = tab.pixels()
    plant(board.logdir / "live", 4)
    tab.frame.get_by_text("1 to 4", exact=True).wait_for()
    tab.caption("Iteration 2")
    assert tab.pixels() == before
    tab.frame.get_by_label("Follow newest").check()
    tab.caption("Iteration 4")
    plant(board.logdir / "live", 5)
    tab.frame.locator(".caption", has_text="Iteration 5").wait_for()
    for file in (board.logdir / "live" / "traces").glob("*-000005.*"):
        file.unlink()
    tab.button("Iteration before").click()
    tab.button("Next iteration").click()
    tab.news("1 to 4")
    tab.frame.get_by_text("Iteration 5 is not stored (any more)").wait_for()
    tab.caption("Iteration 4")
    tab.errors.clear()  # a browser logs every 404, should one have come in between


NO_TIMERS = """(() => {
    for (let last = setTimeout(() => {}); last > 0; last--) clearTimeout(last);
    window.setTimeout = () => 0;
})()"""


def test_the_address_holds_the_state(new: New) -> None:
    tab = new("&p.tbtrace.run=plant")
    tab.caption("Iteration 8")
    length = tab.page.evaluate("history.length")
    tab.button("evaluation").click()
    tab.button("last").click()
    tab.page.keyboard.press("ArrowLeft")
    tab.caption("Iteration 6", "last")
    tab.frame.get_by_label("Colour by").select_option("time")
    tab.frame.get_by_label("Plane").select_option("yz")
    tab.frame.get_by_label("articles").uncheck()
    tab.frame.get_by_label("Filter entities").fill("d")
    tab.frame.locator(".entities button").click()
    tab.frame.get_by_label("Trail", exact=True).select_option("all")
    tab.frame.get_by_label("Step", exact=True).fill("17")
    tab.page.keyboard.press("Escape")
    tab.frame.locator(".entities button").click()
    tab.button("Zoom in").click()
    tab.caption()  # there is something to see
    state, picture = tab.address(), tab.pixels()
    assert tab.page.evaluate("history.length") == length
    keys = {"run", "split", "iteration", "pick", "step", "selected", "area"}
    assert state.keys() == keys | {"colour", "plane", "hidden", "text", "trail"}
    link = tab.page.url.partition("#tbtrace")[2]
    other = new(link, own=True)
    other.caption("Iteration 6", "evaluation, last")
    assert other.frame.locator(".clock").inner_text() == "17 / 40"
    assert other.pixels() == picture
    other.resize(1000, 900)
    assert other.pixels() != picture
    other.resize(1280, 720)
    assert other.pixels() == picture
    assert other.address() == state
    # TensorBoard's own router: another tab and back.
    other.page.get_by_role("tab", name="Scalars").first.click()
    other.page.wait_for_function("location.hash.startsWith('#scalars')")
    other.page.get_by_role("tab", name="Traces").click()
    other.caption("Iteration 6")
    assert other.address() == state
    other.page.evaluate("location.hash = '#tbtrace&p.tbtrace.run=plant&p.tbtrace.iteration=2'")
    other.caption("Iteration 2", "train, best")
    # What nobody sees does not play, and whoever comes back sees what is new.
    other.frame.get_by_label("Speed").select_option("1")
    other.frame.get_by_label("Step", exact=True).fill("1")
    other.button("Play").click()
    other.button("Pause").wait_for()
    other.page.get_by_role("tab", name="Scalars").first.click()
    other.inside.wait_for_function("document.querySelector('.play').textContent === 'Play'")
    other.inside.evaluate(NO_TIMERS)  # else it would ask in some seconds anyway
    with other.page.expect_request(re.compile("plugin/tbtrace/runs")):
        other.page.get_by_role("tab", name="Traces").click()
    other.page.evaluate("location.hash = '#tbtrace'")
    other.message("This episode has no traces")  # of the first run


def test_keys_and_other_addresses_reach_the_page_as_it_is(new: New) -> None:
    link = "&p.tbtrace.run=plant&p.tbtrace.iteration=3&p.tbtrace.plane=xz&p.tbtrace.area=30,10,10,6"
    tab = new(link, own=True)
    tab.caption("Iteration 3")
    seen = tab.pixels()
    tab.page.keyboard.press("ArrowLeft")  # nobody has clicked into the page
    tab.caption("Iteration 2")

    def go(address: str) -> None:
        tab.page.evaluate("(hash) => { location.hash = hash; }", f"#tbtrace{address}")

    go("&p.tbtrace.run=plant&p.tbtrace.iteration=4")
    tab.caption("Iteration 4")
    go(link)  # another plane, and a part of it
    tab.caption("Iteration 3")
    assert tab.pixels() == seen
    # A plane that there is not gives way, and there is no list to choose another one.
    go("&p.tbtrace.run=grows&p.tbtrace.iteration=1&p.tbtrace.plane=yz")
    tab.caption("Iteration 1")
    flat = tab.pixels()
    go("&p.tbtrace.run=grows&p.tbtrace.iteration=3&p.tbtrace.step=35")
    tab.caption("Iteration 3")  # which is longer
    assert tab.frame.locator(".clock").inner_text() == "35 / 59"
    go("&p.tbtrace.run=grows&p.tbtrace.iteration=1")
    tab.caption("Iteration 1")
    assert tab.pixels() == flat


def test_names_are_data(new: New) -> None:
    tab = new()
    tab.frame.get_by_label("Run", exact=True).select_option(NASTY.replace("/", ""))
    tab.message("This episode has no traces").click()
    tab.page.keyboard.press("ArrowLeft")
    tab.caption("Iteration 2", "return 5")
    assert tab.frame.locator(".entities button").count() == 1
    tab.button("worst").click()
    tab.caption("worst", "return 5")  # NaN never wins
    tab.page.keyboard.press("ArrowLeft")
    tab.caption("Iteration 1")
    assert tab.frame.locator(".entities button").count() == 5
    assert tab.inside.evaluate(  # a long group leaves room for the name
        "[...document.querySelectorAll('.entities .name')]"
        ".every((node) => node.clientWidth > 0.4 * node.parentElement.clientWidth)"
    )
    tab.frame.get_by_label("Colour by").select_option(f"channel:{NASTY}")
    for name in (NASTY, "../../etc/passwd", LONG_NAME[:50]):
        tab.frame.locator(".entities button", has_text=name).first.click()
    assert tab.inside.evaluate("document.images.length") == 0
    assert tab.inside.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_states_say_what_to_do(new: New) -> None:
    answers: dict[str, tuple[int, Any]] = {}
    asked = re.compile(r"/plugin/tbtrace/(runs|episodes)\b")

    def answer(route: Any) -> None:
        name = route.request.url.split("?")[0].rsplit("/", 1)[1]
        status, body = answers[name]
        route.fulfill(status=status, json=body)

    tab = new("&p.tbtrace.run=plant")
    tab.caption("Iteration 8")
    tab.page.route(asked, answer)
    nothing = {"complete": True, "limits": "", "logdir": "/logs", "runs": [], "staging": []}
    answers["episodes"] = (404, {"error": "No run of this name holds traces."})
    answers["runs"] = (200, nothing)
    tab.open()
    assert "EpisodeRecorder" in tab.message("No traces here yet").inner_text()
    answers["runs"] = (200, {**nothing, "staging": [{"run": "t", "storage": "/data/my exp"}]})
    tab.open()
    said = tab.message("This is Tune's staging folder").inner_text()
    assert "tensorboard --logdir '/data/my exp'" in said
    run = {"run": "r", "version": "1", "splits": {}}
    answers["runs"] = (
        200,
        {**nothing, "runs": [run], "limits": "Folders deeper than 9 are left out."},
    )
    answers["episodes"] = (503, {"error": "pyarrow is missing: pip install pyarrow."})
    tab.open()
    tab.message("pip install pyarrow")
    tab.frame.get_by_text("Folders deeper than 9").wait_for()
    answers["runs"] = (500, "?")
    tab.open()
    tab.message("The runs cannot be listed")
    tab.page.unroute(asked)
    tab.button("Try again").click()
    tab.frame.locator(".caption", has_text="Iteration").wait_for()
    tab.errors[:] = [error for error in tab.errors if "Failed to load resource" not in error]


def test_a_server_that_fails_or_is_gone_leaves_the_picture(new: New) -> None:
    tab = new("&p.tbtrace.run=plant&p.tbtrace.iteration=5")
    tab.caption("Iteration 5")
    anything = re.compile(r"/plugin/tbtrace/\w+(\?|$)")

    def busy(route: Any) -> None:
        listing = route.fetch().json()
        for run in listing["runs"]:
            run["version"] = "newer"
        route.fulfill(json=listing)

    episodes = re.compile(r"/plugin/tbtrace/episodes")
    tab.page.route(re.compile(r"/plugin/tbtrace/runs"), busy)
    tab.page.route(episodes, lambda route: route.fulfill(status=503, json={"error": "It is busy."}))
    tab.news("There are newer episodes, but: It is busy.")
    tab.caption("Iteration 5")
    tab.page.unroute(episodes)
    tab.page.unroute(re.compile(r"/plugin/tbtrace/runs"))
    tab.page.route(anything, lambda route: route.abort())
    tab.news("TensorBoard does not answer.")
    tab.caption("Iteration 5")
    tab.frame.get_by_role("slider", name="Iteration", exact=True).fill("0")
    tab.message("TensorBoard does not answer.")
    tab.page.unroute(anything)
    tab.caption("Iteration 1")  # by itself, too
    tab.frame.locator(".notes").wait_for(state="hidden")
    tab.errors[:] = [error for error in tab.errors if "Failed to load resource" not in error]


# Elements whose text has a contrast below 4.5, or whose edge one below 3, to what is behind them.
FAINT = """(() => {
    const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const light = (colour) => {
        const linear = parts(colour).slice(0, 3).map((c) => c / 255)
            .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    };
    const contrast = (one, other) => {
        const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
    };
    const behind = (node) => {
        for (; node; node = node.parentElement) {
            const { backgroundColor } = getComputedStyle(node);
            if (parts(backgroundColor)[3] !== 0) return backgroundColor;
        }
    };
    const faint = [];
    for (const node of document.body.querySelectorAll("*")) {
        if (!node.checkVisibility() || node.disabled) continue;
        const told = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
        const { color, borderTopColor } = getComputedStyle(node);
        if (told && contrast(color, behind(node)) < 4.5) faint.push(node.outerHTML);
        if (node.placeholder && contrast(getComputedStyle(node, "::placeholder").color, behind(node)) < 4.5)
            faint.push(node.placeholder);
        if (node.matches("select, input[type=search], input[type=number], .line > button")
            && contrast(borderTopColor, behind(node.parentElement)) < 3) faint.push(node.outerHTML);
    }
    return faint;
})()"""  # noqa: E501
# Controls without a name, or out of the order in which they are on the page.
NAMELESS = """[...document.querySelectorAll("button, input, select, summary, [tabindex]")]
    .filter((node) => node.tabIndex > 0
        || ![node.ariaLabel, node.textContent.trim(), ...[...(node.labels ?? [])].map((l) => l.textContent.trim())]
            .some((name) => name && (node.tagName !== "SELECT" || name !== node.textContent.trim())))
    .map((node) => node.outerHTML)"""  # noqa: E501


def test_theme_and_keyboard(new: New) -> None:
    tab = new("&p.tbtrace.run=plant&p.tbtrace.speed=1", own=True)
    tab.caption("Iteration 8")
    light = tab.pixels()
    tab.page.get_by_label("Menu for changing light or dark theme").click()
    tab.page.get_by_text("Dark", exact=True).click()
    tab.inside.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    assert tab.pixels() != light
    assert tab.inside.evaluate(FAINT) == []
    tab.page.get_by_label("Menu for changing light or dark theme").click()
    tab.page.get_by_text("Light", exact=True).click()
    tab.inside.wait_for_function("document.documentElement.dataset.theme === 'light'")
    assert tab.inside.evaluate(FAINT) == []
    assert tab.inside.evaluate(NAMELESS) == []
    tab.frame.get_by_label("Run", exact=True).focus()
    reached = set()
    for _ in range(40):
        tab.page.keyboard.press("Tab")
        reached.add(tab.inside.evaluate(
            "[document.activeElement.ariaLabel ?? document.activeElement.textContent,"
            " getComputedStyle(document.activeElement).outlineStyle].join()"
        ))  # fmt: skip
    for name in ("best", "Iteration", "Play", "Step", "Filter entities by name", "Fit", "Help"):
        assert f"{name},solid" in reached
    tab.frame.locator(".caption").click()
    tab.page.keyboard.press("?")
    tab.frame.get_by_role("dialog").get_by_text("iteration before").wait_for()
    tab.page.keyboard.press("Escape")
    tab.frame.get_by_role("dialog").wait_for(state="hidden")
    tab.page.keyboard.press("Space")
    tab.button("Pause").wait_for()


def test_fits_the_window(new: New) -> None:
    tab = new("&p.tbtrace.run=plant")
    tab.caption("Iteration 8")
    for width, height in ((900, 700), (1280, 720), (3840, 2160)):
        tab.resize(width, height)
        tab.pixels()
        assert tab.inside.evaluate(
            "[...document.querySelectorAll('aside, main, .head, .playbar, .stage')]"
            ".every((node) => node.scrollWidth <= node.clientWidth)"
            " && document.documentElement.scrollHeight <= innerHeight"
        ), width


def test_a_run_of_a_thousand_iterations_is_quick(new: New) -> None:
    new("&p.tbtrace.run=plant").caption("Iteration 8")  # the server has read what it needs
    for _ in range(TRIES):
        tab = new("&p.tbtrace.run=long")
        first = tab.shown(1000)
        print(f"\nfirst paint {first:.0f} ms")
        if first < 3000:
            break
    assert first < 3000  # 400 ms where nothing else runs
    tab.inside.evaluate(
        "addEventListener('keydown', (event) => (window.pressed = event.timeStamp), true)"
    )
    tab.frame.locator(".caption").click()
    for newest in range(999, 999 - 10 * TRIES, -10):
        changes = []
        for iteration in range(newest, newest - 10, -1):
            tab.page.keyboard.press("ArrowLeft")
            changes.append(tab.shown(iteration) - tab.inside.evaluate("window.pressed"))
        print(f"iterations {sorted(round(ms) for ms in changes)} ms")
        if sorted(changes)[5] < 300:
            break
    assert sorted(changes)[5] < 300  # 15 ms


def test_from_nothing_below_a_path_in_the_other_loading_mode(new: New, tmp_path: Path) -> None:
    logdir, storage = tmp_path / "driver_artifacts", tmp_path / "my results" / "trial_0"
    logdir.mkdir()
    storage.mkdir(parents=True)
    with serve(logdir, fast=False, flags=["--path_prefix", "/some/path"]) as board:
        assert board.url.endswith("/some/path/")
        tab = new(url=board.url)
        tab.message("No traces here yet")
        # What Tune's console names: tbtrace itself says there where the storage path is.
        places = (pyarrow.fs.LocalFileSystem(), str(storage), str(storage))
        shelf = Shelf(logdir / "trial_0", *places, Problems())
        shelf.prepare()
        shelf.close(10)
        tab.news("This is Tune's staging folder")
        assert f"tensorboard --logdir '{storage}'" in tab.message("storage path").inner_text()
        for name, told in (("trial_1", f"/{NASTY}'; rm x"), ("trial_2", "/a\x1b[201~\rrm x")):
            pointer = {"staging": str(logdir / name), "storage": told}
            (logdir / name).mkdir()
            (logdir / name / "tbtrace-run.json").write_text(json.dumps(pointer))
        tab.news("onerror")
        assert tab.frame.locator(".message code").all_inner_texts() == [
            f"tensorboard --logdir '{storage}'",
            f"tensorboard --logdir '/{NASTY}'\\''; rm x'",
        ]
        plant(logdir / "late", 1)
        tab.news("Iteration 1")
        tab.caption("return 12")
        alone = new("p.tbtrace.run=late&p.tbtrace.pick=worst", url=board.url, alone=True)
        alone.caption("Iteration 1", "worst", "return 10")
        alone.button("last").click()
        alone.addressed("#p.tbtrace.run=late", "p.tbtrace.pick=last")
        (logdir / "late").rename(tmp_path / "late")  # at once: half of it would be another run
        tab.news("The files of this run are gone")
