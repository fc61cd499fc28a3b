import TestSupport
import Testing

@testable import benchmark

@Suite("The machine of the benchmark", .alone)
struct MachineTests {
  private static let mounts = """
    21 1 254:0 / / rw,relatime - ext4 /dev/vda rw
    22 21 0:20 / /tmp rw shared:5 master:1 - tmpfs tmpfs rw
    23 21 0:21 / /tmp2 rw - xfs /dev/vdb rw
    24 21 0:22 / /data rw - ext4 /dev/vdc rw
    25 21 0:23 / /data rw - btrfs /dev/vdd rw
    broken line
    """

  @Test(
    "The file system is the last one that is mounted on the nearest mount point above the path",
    arguments: [
      ("/", "ext4"), ("/var/tmp", "ext4"), ("/tmp", "tmpfs"), ("/tmp/x", "tmpfs"), ("/tmp2/x", "xfs"),
      ("/tmpx", "ext4"), ("/data/spool", "btrfs"),
    ])
  func fileSystem(path: String, type: String) {
    #expect(Machine.fileSystem(of: path, in: Self.mounts) == type)
  }

  @Test("The file system is unknown without a table of mounts")
  func noMounts() { #expect(Machine.fileSystem(of: "/", in: "") == nil) }

  @Test("The processor is the first one that is named")
  func processor() {
    #expect(Machine.processor(in: "processor\t: 0\nmodel name\t: Some CPU: 3 GHz \n") == "Some CPU: 3 GHz")
    #expect(Machine.processor(in: "processor\t: 0\n") == nil)
  }
}
