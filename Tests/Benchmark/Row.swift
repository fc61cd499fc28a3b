/// A row of the table of goals. The code that measures a row is in `Rows/`.
enum Row: Int, CaseIterable {
  case drain = 1
  case nq, taskSpooler, backlog, startUp, queuePosition, dryRun, watch, submit, lockCheck

  var title: String {
    switch self {
    case .drain: "drain of /bin/true, against a bare spawn loop"
    case .nq: "submit and run, against nq"
    case .taskSpooler: "submit and run, against task-spooler"
    case .backlog: "cost of a trigger in a large spool, against a small one"
    case .startUp: "bobbin --version, against flock -n FILE true"
    case .queuePosition: "bobbin trigger --queue in a huge spool, against ls | tail -1"
    case .dryRun: "bobbin run --dry-run over a huge spool, against ls | tail -1"
    case .watch: "idle bobbin watch"
    case .submit: "durable submit by the library, against a bare loop in C"
    case .lockCheck: "lock check in process"
    }
  }

  func measure(on bench: Workbench) throws -> [Finding] {
    switch self {
    case .drain: try DrainRow.measure(on: bench)
    case .nq: try PeerRow(.nq).measure(on: bench)
    case .taskSpooler: try PeerRow(.taskSpooler).measure(on: bench)
    case .backlog: try BacklogRow.measure(on: bench)
    case .startUp: try StartUpRow.measure(on: bench)
    case .queuePosition: try HugeSpoolRow.queuePosition(on: bench)
    case .dryRun: try HugeSpoolRow.dryRun(on: bench)
    case .watch: try WatchRow.measure(on: bench)
    case .submit: try SubmitRow.measure(on: bench)
    case .lockCheck: try LockCheckRow.measure(on: bench)
    }
  }
}
