using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Wire;

/// <summary>
/// Payload of the keys to a sparse secret and back: seed and limbs of b mod q₀ and p₀, which are all that there is room for, then seed and limbs of b over all primes.
/// </summary>
internal static unsafe class EncapsulationFormat
{
    public static void Write(ref WireSink sink, CkksContext context, EncapsulationKeys keys)
    {
        Fingerprints.Check("the keys for bootstrapping", keys.Parameters, context);
        var ring = context.Ring;
        Header(context).Write(ref sink, keys.Parameters.Fingerprint.Span);
        using var codec = new LimbCodec(ring);
        sink.Write(keys.SparseSeed.Span);
        codec.Write(ref sink, ring.Chain(0), keys.SparseB[0]);
        codec.Write(ref sink, ring.Special(0), keys.SparseB[1]);
        sink.Write(keys.DenseSeed.Span);
        for (var i = 0; i < keys.DenseB.Limbs; i++)
        {
            codec.Write(ref sink, ring.Of(keys.DenseB, i), keys.DenseB[i]);
        }

        sink.End();
        GC.KeepAlive(keys);
    }

    public static EncapsulationKeys Read(ref WireSource source, CkksContext context, WireLimits limits)
    {
        var (parameters, ring) = (context.Parameters, context.Ring);
        var header = WireHeader.Read(ref source, WireKind.EncapsulationKeys, parameters);
        if (header with { PayloadBytes = 0 } != Header(context) with { PayloadBytes = 0 })
        {
            throw new WireFormatException("seeded keys to a sparse secret and back", $"{header}", WireFormatException.Resend);
        }

        header.CheckSize(WireSize.EncapsulationKeys(parameters), limits, source);
        using var codec = new LimbCodec(ring);
        using var draft = new PolynomialDraft(ring);
        var sparseSeed = source.ReadSeed();
        var sparse = draft.New(2);
        codec.Read(ref source, ring.Chain(0), sparse[0]);
        codec.Read(ref source, ring.Special(0), sparse[1]);
        var denseSeed = source.ReadSeed();
        var dense = draft.New(ring.ChainLength, special: true);
        for (var i = 0; i < dense.Limbs; i++)
        {
            codec.Read(ref source, ring.Of(dense, i), dense[i]);
        }

        source.End();
        var keys = new EncapsulationKeys(parameters, sparse, EncapsulationKeys.ExpandSparse(ring, sparseSeed), sparseSeed, dense, EncapsulationKeys.ExpandDense(ring, denseSeed), denseSeed);
        draft.Keep();
        return keys;
    }

    private static WireHeader Header(CkksContext context) => new(
        WireKind.EncapsulationKeys, WireForm.Seeded, 2, context.Parameters.MaxLevel, 0, WireSize.EncapsulationKeys(context.Parameters) - WireSize.Header - WireSize.Checksum);
}
