namespace ActorTrainer.He.Seal;

/// <summary>Bytes that are not a conforming object of Microsoft SEAL for these parameters: what was expected, what was found.</summary>
public sealed class SealFormatException : FormatException
{
    public SealFormatException(string message)
        : base(message)
    {
    }

    public SealFormatException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
