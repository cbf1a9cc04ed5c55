using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Wire;

/// <summary>Fingerprints of parameters, to which every object is bound.</summary>
internal static class Fingerprints
{
    public const int Bytes = 32;

    public static string Short(ReadOnlySpan<byte> fingerprint) => Convert.ToHexStringLower(fingerprint[..4]);

    /// <exception cref="MisuseException">An object is to be written with a context of other parameters.</exception>
    public static void Check(string what, CkksParameters own, CkksContext context)
    {
        if (!own.Fingerprint.Span.SequenceEqual(context.Parameters.Fingerprint.Span))
        {
            throw new MisuseException($"Cannot write {what}: its parameters are {own}, the context's {context.Parameters}. Write it with a context of its own parameters.");
        }
    }
}
