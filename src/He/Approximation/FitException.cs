namespace ActorTrainer.He.Approximation;

/// <summary>A fit that cannot be had: the exchange did not settle, or the error asked for is below what doubles resolve.</summary>
public sealed class FitException(string message) : Exception(message);
