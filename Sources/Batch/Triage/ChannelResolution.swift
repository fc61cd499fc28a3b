package import Channels

/// Which channel a trigger means.
package enum ChannelResolution: Sendable {
  case found(Channel)
  /// The channel is disabled; the reason says so in words.
  case disabled(Channel, reason: String)
  case unknown(reason: String)
}
