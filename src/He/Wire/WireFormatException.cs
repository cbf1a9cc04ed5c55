namespace ActorTrainer.He.Wire;

/// <summary>Bytes that are no conforming object: what was expected, what was found, what to do. Nothing of the object was kept.</summary>
public sealed class WireFormatException(string expected, string found, string remedy, Exception? inner = null)
    : FormatException($"Expected {expected}; found {found}. {remedy}", inner)
{
    internal const string Resend = "Ask the sender for it again.";

    public string Expected { get; } = expected;

    public string Found { get; } = found;

    public string Remedy { get; } = remedy;
}
