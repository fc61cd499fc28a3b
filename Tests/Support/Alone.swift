// Where no tests are built (`swift build -c release`), there is nothing to build this with.
#if canImport(Testing)

  package import Testing

  /// Lets no other test run meanwhile.
  ///
  /// The tests of this package share a process, and with it what belongs to a process: its children (a batch ends them
  /// all), its open files, user, working directory and signals. So one runs after the other, whether `swift test` was told
  /// `--no-parallel` or not.
  package struct Alone: TestTrait, SuiteTrait, TestScoping {
    package let isRecursive = true

    /// One at a time gets through; the others wait in the order in which they came.
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
      // Around each case of a test, not around a suite, which would then wait for itself.
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
