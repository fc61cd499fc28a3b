import History
import TestSupport
import Testing

@Suite("Statistics of a run", .alone)
struct RunStatisticsTests {
  @Test("The statistics of two runs are added, count by count")
  func sum() {
    var first = RunStatistics()
    first.channels.total = 4
    first.channels.succeeded = 1
    first.channels.failed = 2
    first.channels.skipped = 1
    first.triggers.succeeded = 5
    first.triggers.failed = 6
    first.triggers.expired = 7
    first.triggers.rejected = 8
    first.triggers.deferred = 9
    first.videosDownloaded = 9
    first.historyMended = 1
    var second = RunStatistics()
    second.channels.total = 40
    second.channels.succeeded = 10
    second.channels.failed = 20
    second.channels.skipped = 10
    second.triggers.succeeded = 50
    second.triggers.failed = 60
    second.triggers.expired = 70
    second.triggers.rejected = 80
    second.triggers.deferred = 90
    second.videosDownloaded = 90
    second.historyMended = 10

    let sum = first + second
    #expect(sum.channels.total == 44)
    #expect(sum.channels.succeeded == 11)
    #expect(sum.channels.failed == 22)
    #expect(sum.channels.skipped == 11)
    #expect(sum.triggers.succeeded == 55)
    #expect(sum.triggers.failed == 66)
    #expect(sum.triggers.expired == 77)
    #expect(sum.triggers.rejected == 88)
    #expect(sum.triggers.deferred == 99)
    #expect(sum.videosDownloaded == 99)
    #expect(sum.historyMended == 11)
  }
}
