"""Patches as git writes them, read line by line."""

from __future__ import annotations

from fixtures.checks.code.patch import added_lines

PATCH = """diff --git a/src/a.js b/src/a.js
index 1..2 100644
--- a/src/a.js
+++ b/src/a.js
@@ -1,3 +1,4 @@
 one
-two
+TWO
+++ b/not/a/header
 three
@@ -10 +11,2 @@ function
-x
+y
+z
\\ No newline at end of file
diff --git a/old.md b/old.md
deleted file mode 100644
--- a/old.md
+++ /dev/null
@@ -1,2 +0,0 @@
-gone
-too
diff --git a/new file.txt b/new file.txt
new file
--- /dev/null
+++ b/new file.txt
@@ -0,0 +1,1 @@
+hello"""


def test_added_lines_with_their_numbers() -> None:
    found = [(line.path, line.number, line.text) for line in added_lines(PATCH)]
    assert found == [
        ("src/a.js", 2, "TWO"),
        ("src/a.js", 3, "++ b/not/a/header"),
        ("src/a.js", 11, "y"),
        ("src/a.js", 12, "z"),
        ("new file.txt", 1, "hello"),
    ]


def test_a_line_that_is_both_staged_and_in_the_tree_is_judged_once() -> None:
    assert len(added_lines(PATCH + "\n" + PATCH)) == 5


def test_an_empty_patch_adds_nothing() -> None:
    assert added_lines("") == ()
