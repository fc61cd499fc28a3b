import Channels
import TestSupport
import Testing

@Suite("Paths of a configuration", .alone)
struct ConfigurationPathsTests {
  static let paths: [(path: String, spool: String)] = [
    ("spool", "/srv/bobbin/etc/spool"), ("./spool/", "/srv/bobbin/etc/spool"), ("../x/y", "/srv/bobbin/x/y"),
    ("../../..", "/"), ("../../../../x", "/x"), ("/var//spool/./b/", "/var/spool/b"), ("/", "/"),
    // After a name, which may be a symbolic link, `..` is left to the kernel.
    ("a/../b", "/srv/bobbin/etc/a/../b"), ("/a/../b", "/a/../b"), ("../a/../b", "/srv/bobbin/a/../b"),
    (".", "/srv/bobbin/etc"), ("..x", "/srv/bobbin/etc/..x"), ("a b", "/srv/bobbin/etc/a b"),
  ]

  @Test("A path in the configuration is relative to the file's folder", arguments: paths)
  func relative(_ path: String, _ spool: String) throws {
    #expect(try read(top("spool: \"\(path)\", lock: \"/run/lock\", library: \"/lib\",")).spool == spool)
  }

  @Test(
    "A path is relative to the folder that really holds the file",
    arguments: [("/bobbin.json5", "/x"), ("/a/./b//bobbin.json5", "/a/b/x"), ("/a/bobbin.json5", "/a/x")])
  func folders(_ file: String, _ spool: String) throws {
    #expect(try read("{ spool: \"x\", channels: [] }", file: file).spool == spool)
  }

  @Test(
    "The path of the lock is relative to the spool",
    arguments: [
      ("scheduler.lock", "/srv/bobbin/spool/scheduler.lock"), ("./a", "/srv/bobbin/spool/a"),
      ("../a.lock", "/srv/bobbin/spool/../a.lock"), ("/run/bobbin.lock", "/run/bobbin.lock"),
      ("sub/a.json", "/srv/bobbin/spool/sub/a.json"), ("donelock", "/srv/bobbin/spool/donelock"),
    ])
  func lock(_ lock: String, _ expected: String) throws {
    #expect(try read(top("lock: \"\(lock)\",")).lock == expected)
  }

  @Test(
    "The lock cannot be another file or folder of the spool",
    arguments: [
      ("lock.json", "would be taken for a trigger"),
      (".lock", "begins with a full stop, as the names of Bobbin's own hidden files do"),
      (".history-id", "is something else in the spool"),
      ("history.jsonl.1", "is something else in the spool"),
      ("history.jsonl-20261127", "is something else in the spool"),
      ("running", "is something else in the spool"), ("history.jsonl", "is something else in the spool"),
      ("./done/", "is something else in the spool"), (".", "is something else in the spool"),
      ("/srv/bobbin/spool/a.json", "would be taken for a trigger"),
      ("/srv/bobbin/spool", "is something else in the spool"),
      ("done/x.lock", "would be in one of Bobbin's own folders"),
      ("channels/1.lock", "would be in one of Bobbin's own folders"),
      ("./logs//a/x", "would be in one of Bobbin's own folders"),
      ("/srv/bobbin/spool/failed/x", "would be in one of Bobbin's own folders"),
      ("sub/../done/x", "would be in one of Bobbin's own folders"),
      ("../spool/done/x", "would be in one of Bobbin's own folders"),
      ("/srv/bobbin/etc/../spool/running/x", "would be in one of Bobbin's own folders"),
      ("sub/../a.json", "would be taken for a trigger"),
    ])
  func badLock(_ lock: String, _ fault: String) {
    #expect(
      faults(top("lock: \"\(lock)\",")) == ["2: lock: \"\(lock)\" \(fault); for example \"scheduler.lock\""])
  }

  @Test(
    "The library cannot be one of Bobbin's folders in the spool, or inside such a folder",
    arguments: [
      "../spool/done", "/srv/bobbin/spool/logs", "../spool/x/../running/cats", "../spool/channels/",
    ])
  func badLibrary(_ library: String) {
    #expect(
      faults(top("library: \"\(library)\",")) == [
        "2: library: \"\(library)\" would be in one of Bobbin's own folders; give it a place outside the spool"
      ])
  }

  @Test("The library may be in another folder of the spool")
  func libraryInSpool() throws {
    #expect(try read(top("library: \"../spool/library\",")).library == "/srv/bobbin/spool/library")
  }
}
