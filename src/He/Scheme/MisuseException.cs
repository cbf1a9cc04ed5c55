namespace ActorTrainer.He.Scheme;

/// <summary>Operands that do not go together: the state of both, and the remedy.</summary>
public sealed class MisuseException(string message) : InvalidOperationException(message);
