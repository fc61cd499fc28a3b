import Glibc
import Posix
import TestSupport
import Testing

extension Processes {
  @Suite("Child processes", .serialized)
  struct ChildProcessTests {
    let scratch: TemporaryDirectory
    let directory: Directory

    init() throws {
      scratch = try TemporaryDirectory()
      directory = try scratch.open()
    }

    @Test(
      "The end of a program is an exit status or a signal",
      arguments: [
        ("exit 0", ChildProcess.Exit.status(0)), ("exit 3", .status(3)), ("exit 255", .status(255)),
        ("kill -TERM $$", .signal(SIGTERM)), ("kill -KILL $$", .signal(SIGKILL)), ("exit 143", .status(143)),
      ])
    func exit(_ script: String, _ expected: ChildProcess.Exit) throws {
      #expect(try Script.run(script).exit == expected)
    }

    @Test("Standard output and standard error are read separately and to their end")
    func streams() throws {
      let outcome = try Script.run("echo to the output; echo to the error >&2; seq 1 20000")
      #expect(outcome.output == "to the output\n" + (1...20_000).map { "\($0)\n" }.joined())
      #expect(outcome.error == "to the error\n")
    }

    @Test("A child leads its own process group")
    func group() throws {
      let outcome = try Script.run(
        "read -r pid name state parent group rest </proc/$$/stat; echo $pid $group")
      #expect(outcome.output == "\(outcome.id) \(outcome.id)\n")
      #expect(outcome.id != getpgrp())
    }

    @Test("The standard input of a child is empty")
    func input() throws {
      #expect(try Script.run("readlink /proc/$$/fd/0; wc -c").output == "/dev/null\n0\n")
    }

    @Test("A child gets the standard descriptors and the lock, and none of our other descriptors")
    func descriptors() throws {
      // Descriptors that the starter of the tests has handed down are handed down further. They are not ours to close.
      let foreign = try OpenDescriptors.all().filter { fcntl($0, F_GETFD) & FD_CLOEXEC == 0 }
      try scratch.write("a")
      let file = try directory.open(FileName("a"), .update)
      let folder = try scratch.open()
      // Each name is checked again, because the shell itself has the directory open while it lists it.
      let outcome = try Script.run("for fd in /proc/$$/fd/*; do [ -e $fd ] && echo ${fd##*/}; done; true")
      let numbers = Set(outcome.output.split(separator: "\n").compactMap { Int32($0) })
      #expect(numbers == foreign.union([0, 1, 2, 64]))
      withExtendedLifetime(folder) { _ = file.number }
    }

    @Test("The streams of a child are the pipes even if a pipe has the number that the lock gets")
    func crowded() throws {
      let lock = try directory.lock("lock")
      var held: [Directory] = []
      for _ in 0..<80 {
        held.append(try scratch.open())
        let outcome = try Script.finish(Script.start("echo out; echo err >&2", inheriting: lock))
        #expect(outcome.output == "out\n" && outcome.error == "err\n", "with \(held.count) more descriptors")
      }
      #expect(try scratch.text("lock") == "")
    }

    @Test("A child gets the lock even if the lock has the same number in this process")
    func sameNumber() throws {
      var taken: [Int32] = []
      defer { for number in taken { close(number) } }
      repeat { taken.append(open("/", O_RDONLY | O_CLOEXEC)) } while (0..<63).contains(taken.last ?? -1)
      let lock = try directory.lock("lock")
      let running = try Script.start("readlink /proc/$$/fd/64", inheriting: lock)
      #expect(try Script.finish(running).output == scratch.path + "/lock\n")
    }

    @Test("50 programs, some of which cannot be started, leave no descriptor open in this process")
    func leaks() throws {
      let lock = try directory.lock("lock")
      let before = try OpenDescriptors.all()
      for number in 0..<50 {
        if number % 2 == 0 {
          _ = try Script.finish(Script.start("exit 1", inheriting: lock))
        } else {
          #expect(throws: SystemError.self) { try start("/nonexistent", lock) }
        }
      }
      #expect(try OpenDescriptors.all() == before)
      #expect(try Children.reap() == .childless)
    }

    @Test("Signals that are ignored or blocked in this process have their default action in a child")
    func signals() throws {
      signal(SIGPIPE, SIG_IGN)
      signal(SIGIO, SIG_IGN)
      var (blocked, old) = (sigset_t(), sigset_t())
      sigemptyset(&blocked)
      sigaddset(&blocked, SIGUSR1)
      sigaddset(&blocked, SIGTERM)
      pthread_sigmask(SIG_BLOCK, &blocked, &old)
      defer { pthread_sigmask(SIG_SETMASK, &old, nil) }
      let output = try Script.run("grep -E '^Sig(Blk|Ign):' /proc/self/status").output
      let masks = output.split(separator: "\n").compactMap { UInt64($0.suffix(16), radix: 16) }
      try #require(masks.count == 2)
      #expect(masks[0] == 0, "nothing is blocked")
      for signal in [SIGPIPE, SIGIO, SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGCHLD] {
        #expect(masks[1] & (1 << (UInt64(signal) - 1)) == 0, "\(Signals.name(signal)) is not ignored")
      }
    }

    @Test("A child gets exactly the given arguments and environment")
    func argumentsAndEnvironment() throws {
      let odd = ["", "a b", "$HOME", "*", "\"'\\", "ä\u{1F431}", "-n"]
      let environment = ["A=1", "B=", "C=x y=z", "ODD=\n"]
      let lock = try directory.lock("lock")
      let pipes = try OutputPipes()
      let child = try ChildProcess.start(
        program: "/bin/sh",
        arguments: CStringArray(
          ["name", "-c", #"printf '%s\n' "$0" "$@"; tr '\0' '#' </proc/$$/environ"#] + odd),
        environment: CStringArray(environment), directory: "/", writingTo: pipes, inheriting: lock)
      let echoed = try Script.finish(RunningScript(child, pipes))
      #expect(
        echoed.output == odd.map { "\($0)\n" }.joined() + environment.map { "\($0)#" }.joined())
    }

    @Test("A child works in the given directory")
    func workingDirectory() throws {
      let lock = try directory.lock("lock")
      let outcome = try Script.finish(Script.start("pwd -P", inheriting: lock, directory: scratch.path))
      #expect(outcome.output == scratch.path + "\n")
    }

    @Test(
      "A program that cannot be started is an error and does not leave a child",
      arguments: [
        ("/nonexistent/program", SystemError.Code.noSuchFile), ("/etc/passwd", .accessDenied),
        ("/", .accessDenied),
      ])
    func notStarted(_ program: String, _ code: SystemError.Code) throws {
      let lock = try directory.lock("lock")
      let error = #expect(throws: SystemError.self) { try start(program, lock) }
      #expect(error?.description == "cannot start '\(program)': \(code)")
      #expect(try Children.reap() == .childless)
    }

    @Test("The error for a missing working directory names the directory, not the program")
    func directoryMissing() throws {
      let lock = try directory.lock("lock")
      let missing = scratch.path + "/missing"
      let error = #expect(throws: SystemError.self) { try start("/bin/true", lock, in: missing) }
      #expect(
        error?.description
          == "cannot change to the working directory '\(missing)': \(SystemError.Code.noSuchFile)")
      #expect(try Children.reap() == .childless)
    }

    @Test("SIGHUP is ignored in a child only if it is ignored in this process, as nohup does")
    func hangup() throws {
      let old = signal(SIGHUP, SIG_IGN)
      defer { signal(SIGHUP, old) }
      #expect(try Script.run("kill -HUP $$; exit 3").exit == .status(3))
      signal(SIGHUP, { _ in })
      #expect(try Script.run("kill -HUP $$; exit 3").exit == .signal(SIGHUP))
    }

    private func start(_ program: String, _ lock: borrowing FileLock, in directory: String = "/") throws {
      _ = try ChildProcess.start(
        program: program, arguments: CStringArray([program]), environment: [], directory: directory,
        writingTo: OutputPipes(),
        inheriting: lock
      ).id
    }
  }
}
