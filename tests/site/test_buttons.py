"""The buttons at the top of a page: open it elsewhere, edit it, download it."""

import pytest
import yaml
from bs4 import BeautifulSoup
from repository import ROOT

NOTEBOOK = "notebooks/en/2-using-transformers/2-1-behind-the-pipeline"


def buttons(site, page):
    """Give the buttons of a page that are links: what each says, and where it leads."""
    soup = BeautifulSoup((site / f"{page}.html").read_text(), "html.parser")
    links = soup.select(".article-header-buttons a")
    return {link.get_text().strip() or link["title"]: link["href"] for link in links}


def test_a_published_notebook_can_be_opened_edited_and_downloaded(own_site):
    found = buttons(own_site, NOTEBOOK)
    assert found.pop(".whl").startswith("../../../transformers_course_book-")
    assert found == {
        "Colab": f"https://colab.research.google.com/github/ada/mine/blob/published/{NOTEBOOK}.ipynb",
        "Binder": f"https://mybinder.org/v2/gh/ada/mine/main?urlpath=lab/tree/{NOTEBOOK}.ipynb",
        "JupyterHub": "https://hub.example.org/hub/user-redirect/git-pull?"
        "repo=https%3A//github.com/ada/mine"
        f"&urlpath=lab/tree/mine/{NOTEBOOK}.ipynb&branch=main",
        "Repository": "https://github.com/ada/mine",
        "Suggest edit": f"https://github.com/ada/mine/edit/main/{NOTEBOOK}.md",
        ".ipynb": f"../../../_sources/{NOTEBOOK}.ipynb",
    }


def test_another_page_can_be_edited(own_site):
    assert buttons(own_site, "book/welcome") == {
        "Repository": "https://github.com/ada/mine",
        "Suggest edit": "https://github.com/ada/mine/edit/main/book/welcome.md",
        ".md": "../_sources/book/welcome.md",
    }


def test_without_a_repository_only_the_downloads_are_left(site):
    assert set(buttons(site, NOTEBOOK)) == {".ipynb", ".whl"}
    assert set(buttons(site, "book/welcome")) == {".md"}


def test_a_download_installs_the_book_from_where_it_is_published(own_site):
    text = (own_site / "_sources" / f"{NOTEBOOK}.ipynb").read_text()
    (wheel,) = own_site.glob("*.whl")
    assert f"https://ada.github.io/mine/{wheel.name}" in text
    assert "git+https://github.com/ada/mine" in text
    assert "https://ada.github.io/mine/book/glossary.html#term-pipeline" in text


@pytest.mark.parametrize(
    ("address", "edit", "launch"),
    [
        ("https://github.com/ada/mine", True, {"colab_url", "binderhub_url"}),
        ("https://gitlab.com/ada/mine/", True, {"binderhub_url"}),
        ("https://codeberg.org/ada/mine.git", False, {"binderhub_url"}),
        ("", False, set()),
    ],
)
def test_the_host_decides_which_buttons_there_are(course_site, address, edit, launch):
    theme = {"repository_url": address, "launch_buttons": {"colab_url": "c", "binderhub_url": "b"}}
    course_site.set_buttons(theme)
    assert theme["use_edit_page_button"] == edit
    assert set(theme["launch_buttons"]) == launch
    assert ("repository_provider" in theme) == (bool(address) and not edit), "or the theme stops"
    assert theme["repository_url"] == address.removesuffix("/").removesuffix(".git")


def test_the_workflow_writes_the_branch_that_colab_opens(course_site):
    import course_buttons

    workflow = (ROOT / ".github" / "workflows" / "publish.yml").read_text()
    steps = yaml.safe_load(workflow)["jobs"]["publish"]["steps"]
    (sent,) = [step["with"] for step in steps if "publish_branch" in step.get("with", {})]
    assert sent["publish_branch"] == course_buttons.COPIES
    assert sent["publish_dir"] == "_build/html/_sources"
