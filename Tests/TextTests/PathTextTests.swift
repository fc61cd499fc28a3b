import Testing
import Text

@Suite("Paths as text")
struct PathTextTests {
  @Test(
    "A path is split into its folder and its last name",
    arguments: [
      ("/a/b", "/a", "b"), ("/a", "/", "a"), ("a", ".", "a"), ("a/b/c", "a/b", "c"), ("/a/", "/a", ""),
    ])
  func split(path: String, folder: String, name: String) {
    let parts = PathText.split(path)
    #expect(parts.folder == folder)
    #expect(parts.name == name)
  }

  @Test(
    "A name joins a folder with one slash",
    arguments: [("/", "a", "/a"), ("/a", "b", "/a/b"), (".", "a", "./a")])
  func join(folder: String, name: String, path: String) {
    #expect(PathText.join(folder, name) == path)
  }

  @Test(
    "A relative path leaves the folder only by its leading dots",
    arguments: [
      ("a", "/srv/etc/a"), ("../a", "/srv/a"), ("../../../a", "/a"), ("./a//b", "/srv/etc/a/b"),
      ("/x/./y", "/x/y"), ("a/../b", "/srv/etc/a/../b"),
    ])
  func absolute(path: String, expected: String) {
    #expect(PathText.absolute(path, in: "/srv/etc") == expected)
  }
}
