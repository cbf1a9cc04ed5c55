using System.Globalization;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Wire;

/// <summary>
/// Payload of a ciphertext: scale (leading and trailing double), variance of the noise, magnitude; then the limbs of c₀, c₁ (and c₂), or, in seeded form, the
/// seed of c₁ and the limbs of c₀.
/// </summary>
internal static unsafe class CiphertextFormat
{
    public static long Size(Ciphertext ciphertext) => WireSize.Ciphertext(ciphertext.Parameters, ciphertext.Level, Payload(ciphertext).Seed is not null, ciphertext.Size);

    public static void Write(ref WireSink sink, CkksContext context, Ciphertext ciphertext, bool allowTransparent)
    {
        var (payload, ring) = (Payload(ciphertext), context.Ring);
        Fingerprints.Check($"the {ciphertext}", ciphertext.Parameters, context);
        if (Fault(ciphertext.Parameters, ciphertext.Level, ciphertext.Scale.High, ciphertext.Scale.Low, ciphertext.NoiseVariance, ciphertext.Magnitude) is var (expected, found))
        {
            throw new MisuseException($"Cannot write the {ciphertext}: expected {expected}, found {found}. No reader would take it; rescale, or refresh.");
        }

        using var codec = new LimbCodec(ring);
        if (!allowTransparent && IsTransparent(payload, ciphertext.Level, ring, codec))
        {
            throw new MisuseException($"Cannot write the {ciphertext}: it is transparent, its message can be read without a key. Allow it where that is meant, or add an encryption of zero.");
        }

        var seeded = payload.Seed is not null;
        var header = new WireHeader(WireKind.Ciphertext, seeded ? WireForm.Seeded : WireForm.Full, payload.Size, ciphertext.Level, 0, Size(ciphertext) - WireSize.Header - WireSize.Checksum);
        header.Write(ref sink, context.Parameters.Fingerprint.Span);
        sink.Write(ciphertext.Scale.High);
        sink.Write(ciphertext.Scale.Low);
        sink.Write(ciphertext.NoiseVariance);
        sink.Write(ciphertext.Magnitude);
        if (payload.Seed is { } seed)
        {
            sink.Write(seed.Span);
        }

        for (var part = 0; part < (seeded ? 1 : payload.Size); part++)
        {
            for (var i = 0; i <= ciphertext.Level; i++)
            {
                codec.Write(ref sink, ring.Chain(i), payload.Parts[part][i]);
            }
        }

        sink.End();
        GC.KeepAlive(ciphertext);
    }

    public static Ciphertext Read(ref WireSource source, CkksContext context, WireLimits limits)
    {
        var (parameters, ring) = (context.Parameters, context.Ring);
        var header = WireHeader.Read(ref source, WireKind.Ciphertext, parameters);
        var seeded = header.Form == WireForm.Seeded;
        if (header.Level > parameters.MaxLevel || header.Count != 0)
        {
            throw new WireFormatException($"a level up to {parameters.MaxLevel} and no count", $"{header.Level} and {header.Count}", WireFormatException.Resend);
        }

        // A seed stands for exactly one part, so that it never makes more memory than the bytes that came.
        if (header.Parts != 2 && (header.Parts != 3 || seeded))
        {
            throw new WireFormatException("2 parts, or 3 without a seed", $"{header.Parts}{(seeded ? " with a seed" : "")}", WireFormatException.Resend);
        }

        header.CheckSize(WireSize.Ciphertext(parameters, header.Level, seeded, header.Parts), limits, source);
        var (high, low, noise, magnitude) = (source.ReadDouble(), source.ReadDouble(), source.ReadDouble(), source.ReadDouble());
        if (Fault(parameters, header.Level, high, low, noise, magnitude) is var (expected, found))
        {
            throw new WireFormatException(expected, found, WireFormatException.Resend);
        }

        Seed? seed = seeded ? source.ReadSeed() : null;
        using var codec = new LimbCodec(ring);
        using var draft = new PolynomialDraft(ring);
        var parts = new Polynomial[header.Parts];
        for (var part = 0; part < (seeded ? 1 : parts.Length); part++)
        {
            parts[part] = draft.New(header.Level + 1);
            for (var i = 0; i <= header.Level; i++)
            {
                codec.Read(ref source, ring.Chain(i), parts[part][i]);
            }
        }

        source.End();
        if (seed is { } uniform)
        {
            parts[1] = draft.New(header.Level + 1);
            Randomness.Uniform(ring, uniform, 0, parts[1]);
        }

        draft.Keep();
        return new Ciphertext(new LimbPayload(parts, seed), parameters, header.Level, new Scale(high, low), noise, magnitude);
    }

    /// <summary>What is wrong with a ciphertext's numbers; null where nothing is.</summary>
    private static (string Expected, string Found)? Fault(CkksParameters parameters, int level, double high, double low, double noise, double magnitude)
    {
        if (!(double.IsNormal(high) && high > 0 && high + low == high))
        {
            return ("a scale that is finite, positive and normal, its second double what the first leaves out", Text(high, low));
        }

        // Below one nothing is left of the message, and above the modulus nothing can be decrypted.
        var modulus = parameters.Chain.Take(level + 1).Sum(q => q.Bits);
        if (!(high >= 1 && Math.Log2(high) < modulus))
        {
            return (string.Create(CultureInfo.InvariantCulture, $"a scale from 1 to the modulus of level {level}, 2^{modulus:F1}"), Text(high, low));
        }

        return !(double.IsFinite(noise) && double.IsFinite(magnitude) && double.IsPositive(noise) && double.IsPositive(magnitude))
            ? ("a variance and a magnitude that are finite and not negative", Text(noise, magnitude))
            : null;
    }

    private static string Text(double first, double second) => string.Create(CultureInfo.InvariantCulture, $"{first:G6} and {second:G6}");

    /// <summary>Whether some limb of all parts but the first is zero: mod that prime, the first part is the message.</summary>
    private static bool IsTransparent(LimbPayload payload, int level, RingContext ring, LimbCodec codec) =>
        Enumerable.Range(0, level + 1).Any(i => payload.Parts.Skip(1).All(part => codec.IsZero(ring.Chain(i), part[i])));

    private static LimbPayload Payload(Ciphertext ciphertext)
    {
        _ = LimbPayload.Of(ciphertext.Payload);
        return (LimbPayload)ciphertext.Payload;
    }
}
