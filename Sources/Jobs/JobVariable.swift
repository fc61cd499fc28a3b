/// The environment variables that tell a job about itself.
enum JobVariable: String, CaseIterable {
  case channelID = "BOBBIN_CHANNEL_ID"
  case channel = "BOBBIN_CHANNEL"
  case url = "BOBBIN_URL"
  case limit = "BOBBIN_LIMIT"
  case dir = "BOBBIN_DIR"
  case kind = "BOBBIN_KIND"
  case trigger = "BOBBIN_TRIGGER"
  case user = "BOBBIN_USER"
  case run = "BOBBIN_RUN"
  case historyID = "BOBBIN_HISTORY_ID"
  case attempt = "BOBBIN_ATTEMPT"

  func entry(_ value: String) -> String { "\(rawValue)=\(value)" }
}
