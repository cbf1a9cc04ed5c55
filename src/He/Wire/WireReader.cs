using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Wire;

/// <summary>
/// Objects from bytes that nobody vouches for. Their exact size is known and checked before memory is taken, every residue is below its prime before any
/// arithmetic sees it, and an object exists only when all of it is valid. A span holds exactly one object; from a stream exactly one is read, limb by
/// limb, and what follows stays. That bytes conform says nothing of who made them: authenticity is the channel's.
/// </summary>
public static class WireReader
{
    /// <param name="allowInsecure">Whether sets for tests are accepted.</param>
    /// <exception cref="WireFormatException">The bytes are no set of parameters, or one that is refused.</exception>
    public static CkksParameters ReadParameters(ReadOnlySpan<byte> bytes, bool allowInsecure = false)
    {
        var source = new WireSource(bytes);
        return ParametersFormat.Read(ref source, allowInsecure);
    }

    /// <inheritdoc cref="ReadParameters(ReadOnlySpan{byte}, bool)"/>
    public static CkksParameters ReadParameters(Stream stream, bool allowInsecure = false)
    {
        var source = new WireSource(stream);
        return ParametersFormat.Read(ref source, allowInsecure);
    }

    /// <exception cref="WireFormatException">The bytes are no conforming ciphertext of these parameters.</exception>
    public static Ciphertext ReadCiphertext(ReadOnlySpan<byte> bytes, CkksContext context, WireLimits? limits = null)
    {
        var source = new WireSource(bytes);
        return CiphertextFormat.Read(ref source, context, limits ?? WireLimits.Default);
    }

    /// <inheritdoc cref="ReadCiphertext(ReadOnlySpan{byte}, CkksContext, WireLimits)"/>
    public static Ciphertext ReadCiphertext(Stream stream, CkksContext context, WireLimits? limits = null)
    {
        var source = new WireSource(stream);
        return CiphertextFormat.Read(ref source, context, limits ?? WireLimits.Default);
    }

    /// <exception cref="WireFormatException">The bytes are no conforming public key of these parameters.</exception>
    public static PublicKey ReadPublicKey(ReadOnlySpan<byte> bytes, CkksContext context, WireLimits? limits = null)
    {
        var source = new WireSource(bytes);
        return KeyFormat.ReadPublicKey(ref source, context, limits ?? WireLimits.Default);
    }

    /// <inheritdoc cref="ReadPublicKey(ReadOnlySpan{byte}, CkksContext, WireLimits)"/>
    public static PublicKey ReadPublicKey(Stream stream, CkksContext context, WireLimits? limits = null)
    {
        var source = new WireSource(stream);
        return KeyFormat.ReadPublicKey(ref source, context, limits ?? WireLimits.Default);
    }

    /// <exception cref="WireFormatException">The bytes are no conforming set of keys of these parameters.</exception>
    public static EvaluationKeys ReadEvaluationKeys(ReadOnlySpan<byte> bytes, CkksContext context, WireLimits? limits = null)
    {
        var source = new WireSource(bytes);
        return KeyFormat.ReadEvaluationKeys(ref source, context, limits ?? WireLimits.Default);
    }

    /// <param name="wanted">Keys to keep in memory, each up to its level; null: all that are there.</param>
    /// <param name="budgetBytes">Native memory for the keys: halves that seeds make are held as long as there is room, and else made whenever they are used. Null: all are held.</param>
    /// <exception cref="WireFormatException">The bytes are no conforming set of keys of these parameters, or lack one that is wanted.</exception>
    public static EvaluationKeys ReadEvaluationKeys(
        Stream stream, CkksContext context, WireLimits? limits = null, IReadOnlyCollection<KeyRequest>? wanted = null, long? budgetBytes = null)
    {
        var source = new WireSource(stream);
        return KeyFormat.ReadEvaluationKeys(ref source, context, limits ?? WireLimits.Default, wanted, budgetBytes);
    }

    /// <exception cref="WireFormatException">The bytes are no conforming keys for bootstrapping of these parameters.</exception>
    public static EncapsulationKeys ReadEncapsulationKeys(ReadOnlySpan<byte> bytes, CkksContext context, WireLimits? limits = null)
    {
        var source = new WireSource(bytes);
        return EncapsulationFormat.Read(ref source, context, limits ?? WireLimits.Default);
    }

    /// <inheritdoc cref="ReadEncapsulationKeys(ReadOnlySpan{byte}, CkksContext, WireLimits)"/>
    public static EncapsulationKeys ReadEncapsulationKeys(Stream stream, CkksContext context, WireLimits? limits = null)
    {
        var source = new WireSource(stream);
        return EncapsulationFormat.Read(ref source, context, limits ?? WireLimits.Default);
    }
}
