namespace ActorTrainer.He.Parameters;

/// <summary>A parameter set that is not secure, or not possible: what was expected, what was found, what to do.</summary>
public sealed class ParametersRefusedException(string message) : ArgumentException(message);
