// Without tests (`swift build -c release`) the module Testing is not available.
#if canImport(Testing)

  package import Testing

  /// Keeps other tests with this trait from running at the same time.
  ///
  /// The tests of this package share a process, and with it everything that belongs to a process: its children (a
  /// batch ends them all), its open files, user, working directory and signals. So they run one after the other, with
  /// or without the option `--no-parallel` of `swift test`.
  package struct Alone: TestTrait, SuiteTrait, TestScoping {
    package let isRecursive = true

    /// Lets one test in at a time; the others wait in the order in which they came.
    private actor Gate {
      private var isTaken = false
      private var waiting: [CheckedContinuation<Void, Never>] = []

      func enter() async {
        if !isTaken {
          isTaken = true
          return
        }
        await withCheckedContinuation { waiting.append($0) }
      }

      func leave() {
        if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
      }
    }

    private static let gate = Gate()

    package func provideScope(
      for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
      // The gate is around each case of a test. A suite that waited at it would wait for itself.
      guard testCase != nil else { return try await function() }
      await Self.gate.enter()
      do { try await function() } catch {
        await Self.gate.leave()
        throw error
      }
      await Self.gate.leave()
    }
  }

  extension Trait where Self == Alone {
    package static var alone: Self { Alone() }
  }

#endif
