import Foundation
import Posix
import Spool
import TestSupport
import Testing

@Suite("The list of pending triggers", .alone)
struct PendingListTests {
  let scratch: TemporaryDirectory
  let directory: Directory

  init() throws {
    scratch = try TemporaryDirectory()
    directory = try scratch.open()
  }

  /// The remaining names of a list, in its order.
  private func rest(_ list: PendingList) -> [FileName] {
    var list = list
    var names: [FileName] = []
    while let name = list.popFirst() { names.append(name) }
    return names
  }

  private func list(skipping: Set<FileName> = []) throws -> PendingList {
    var list = PendingList()
    try list.refresh(from: directory, skipping: skipping)
    return list
  }

  @Test("An empty list does not have a first trigger")
  func empty() throws {
    #expect(PendingList().first == nil)
    #expect(try list().first == nil)
    #expect(try list().count == 0)
  }

  @Test("The list holds only triggers")
  func triggersOnly() throws {
    for name in ["b.json", "a.json", ".c.json", "d.txt", "e.JSON", "history.jsonl", ".json"] {
      try scratch.write(name)
    }
    try scratch.directory("running")
    #expect(try rest(list()).map(\.description) == ["a.json", "b.json"])
  }

  @Test("The list has the order of LC_ALL=C sort, for names of any bytes")
  func byteOrder() throws {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<300 {
      // Only a few different bytes, so that many names share a beginning. Some of the bytes sort differently as text.
      let pool: [UInt8] = [0x01, 0x0A, 0x20, 0x2D, 0x2E, 0x41, 0x61, 0x7F, 0x80, 0xC3, 0xA4, 0xFF]
      let length = Int.random(in: 1...6, using: &random)
      let name = (0..<length).map { _ in pool.randomElement(using: &random) ?? 0x61 } + Array(".json".utf8)
      _ = try? scratch.write(FileName(bytes: name))
    }
    let sorted = try Script.run(
      "cd '\(scratch.path)' && find . -mindepth 1 -name '[!.]*.json' -printf '%P\\0' | LC_ALL=C sort -z | base64 -w 0"
    )
    let bytes = try #require(Data(base64Encoded: sorted.output))
    let expected = bytes.split(separator: 0).map { FileName(bytes: Array($0)) }
    #expect(expected.count > 100)
    #expect(try rest(list()) == expected)
  }

  @Test("A new name that sorts first is taken before older ones")
  func overtaking() throws {
    for name in ["b.json", "c.json", "d.json"] { try scratch.write(name) }
    var list = try list()
    #expect(list.first == FileName("b.json"))
    _ = list.popFirst()
    try scratch.remove("b.json")
    try scratch.write("a.json")
    try list.refresh(from: directory, skipping: [])
    #expect(rest(list).map(\.description) == ["a.json", "c.json", "d.json"])
  }

  @Test("A name that was taken is listed again if its file is still there")
  func again() throws {
    for name in ["a.json", "b.json"] { try scratch.write(name) }
    var list = try list()
    _ = list.popFirst()
    // The file is still there, as after a claim that failed.
    try list.refresh(from: directory, skipping: [])
    #expect(rest(list).map(\.description) == ["a.json", "b.json"])
  }

  @Test("A name that is gone is not in the next scan, and the other names stay in their places")
  func going() throws {
    for name in ["a.json", "b.json", "c.json"] { try scratch.write(name) }
    var list = try list()
    try scratch.remove("b.json")
    try list.refresh(from: directory, skipping: [])
    #expect(rest(list).map(\.description) == ["a.json", "c.json"])
    try scratch.rename("c.json", "b.json")
    try list.refresh(from: directory, skipping: [])
    #expect(rest(list).map(\.description) == ["a.json", "b.json"])
    _ = list.popFirst()
    try scratch.remove("a.json")
    try list.refresh(from: directory, skipping: [])
    #expect(list.count == 1)
    _ = list.popFirst()
    try scratch.remove("b.json")
    try list.refresh(from: directory, skipping: [])
    #expect(list.first == nil)
  }

  @Test("A skipped name is not in the list until it is no longer skipped")
  func skipping() throws {
    for name in ["a.json", "b.json", "c.json"] { try scratch.write(name) }
    var list = try list(skipping: [FileName("a.json"), FileName("c.json"), FileName("none.json")])
    #expect(rest(list).map(\.description) == ["b.json"])
    try list.refresh(from: directory, skipping: [FileName("b.json")])
    #expect(rest(list).map(\.description) == ["a.json", "c.json"])
    try list.refresh(from: directory, skipping: [])
    #expect(list.count == 3)
  }

  @Test("20,000 names are listed and processed in order")
  func many() throws {
    // All names are links to one file, because making 20,000 files would take longer than the test.
    try scratch.write("seed.json")
    let names = (1..<20_000).map { "\(($0 &* 7_919) % 20_000)-\($0).json" }
    for name in names { try scratch.hardLink(name, to: "seed.json") }
    var list = try list()
    #expect(list.count == 20_000)
    try list.refresh(from: directory, skipping: [])
    #expect(rest(list).map(\.description) == (names + ["seed.json"]).sorted())
  }

  @Test("A directory that cannot be read is an error, and the list stays as it was")
  func failure() throws {
    try scratch.write("sub/a.json")
    let sub = try directory.directory(FileName("sub"))
    var list = PendingList()
    try list.refresh(from: sub, skipping: [])
    try scratch.remove("sub/a.json")
    #expect(try directory.removeDirectory(FileName("sub")))
    #expect(throws: SystemError.self) { try list.refresh(from: sub, skipping: []) }
    #expect(list.first == FileName("a.json"))
  }

  @Test(
    "The position of a name is its place among the pending names, even if it is not one of them",
    arguments: [
      ("b.json", 1), ("d.json", 2), ("a.json", 1), ("c.json", 2), ("\u{FF}.json", 4), ("f.json", 3),
    ])
  func position(_ name: String, _ expected: Int) throws {
    for name in ["b.json", "d.json", "é.json", ".a.json", "aa.txt"] { try scratch.write(name) }
    #expect(try SpoolDirectory(path: scratch.path).position(of: FileName(name)) == expected)
  }
}
