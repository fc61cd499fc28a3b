import Channels
import Posix

/// Says when schedules have their moments, for the topic `schedules`. For each line on standard input (zone, schedule,
/// begin and end, separated by tabs; the times in seconds since 1970) it prints the moments after the begin up to the
/// end on one line.
@main
struct Moments {
  static func main() throws {
    while let line = readLine() {
      let parts = line.split(separator: "\t").map(String.init)
      guard parts.count == 4, let zone = TimeZoneRules(named: parts[0]), let begin = Int64(parts[2]),
        let end = Int64(parts[3])
      else {
        print("not understood: \(line)")
        continue
      }
      let schedule = try CronSchedule(parts[1])
      var moments: [String] = []
      var time = Timestamp(seconds: begin)
      while let next = schedule.next(after: time, in: zone), next.seconds <= end {
        moments.append(String(next.seconds))
        time = next
      }
      print(moments.joined(separator: " "))
    }
  }
}
