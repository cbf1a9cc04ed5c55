namespace ActorTrainer.Actors.DataPlane.Tcp;

/// <summary>A link cannot be brought back.</summary>
internal sealed class LinkLostException(string message, Exception? inner = null) : Exception(message, inner);
