using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Wire;

/// <summary>
/// Payload of a public key: seed, limbs of b. Payload of a set of evaluation keys: a directory of (element, level), elements rising; then for each key its seed
/// and for each digit the limbs of b, q₀ … q_level and the special primes. The directory fixes all lengths.
/// </summary>
internal static unsafe class KeyFormat
{
    public static void Write(ref WireSink sink, CkksContext context, PublicKey key)
    {
        Fingerprints.Check("the public key", key.Parameters, context);
        var ring = context.Ring;
        var payload = WireSize.PublicKey(key.Parameters) - WireSize.Header - WireSize.Checksum;
        new WireHeader(WireKind.PublicKey, WireForm.Seeded, 2, key.Parameters.MaxLevel, 0, payload).Write(ref sink, key.Parameters.Fingerprint.Span);
        using var codec = new LimbCodec(ring);
        sink.Write(key.Seed.Span);
        for (var i = 0; i < ring.ChainLength; i++)
        {
            codec.Write(ref sink, ring.Chain(i), key.B[i]);
        }

        sink.End();
        GC.KeepAlive(key);
    }

    public static PublicKey ReadPublicKey(ref WireSource source, CkksContext context, WireLimits limits)
    {
        var (parameters, ring) = (context.Parameters, context.Ring);
        var header = WireHeader.Read(ref source, WireKind.PublicKey, parameters);
        if (header with { PayloadBytes = 0 } != new WireHeader(WireKind.PublicKey, WireForm.Seeded, 2, parameters.MaxLevel, 0, 0))
        {
            throw new WireFormatException($"a seeded key of 2 parts at level {parameters.MaxLevel}", $"{header}", WireFormatException.Resend);
        }

        header.CheckSize(WireSize.PublicKey(parameters), limits, source);
        var seed = source.ReadSeed();
        using var codec = new LimbCodec(ring);
        using var draft = new PolynomialDraft(ring);
        var b = draft.New(ring.ChainLength);
        for (var i = 0; i < ring.ChainLength; i++)
        {
            codec.Read(ref source, ring.Chain(i), b[i]);
        }

        source.End();
        var a = draft.New(ring.ChainLength);
        Randomness.Uniform(ring, seed, 0, a);
        draft.Keep();
        return new PublicKey(b, a, seed, parameters);
    }

    /// <param name="requests">What to write, elements rising.</param>
    public static void Write(ref WireSink sink, CkksContext context, EvaluationKeys keys, IReadOnlyList<KeyRequest> requests)
    {
        SwitchingKey[] wanted = [.. requests.Select(request => keys.Get(request.Element, request.Level, "Writing a key"))];
        Array.ForEach(wanted, key => Fingerprints.Check("the evaluation keys", key.Parameters, context));
        Begin(ref sink, context.Parameters, requests);
        using var codec = new LimbCodec(context.Ring);
        foreach (var (request, key) in requests.Zip(wanted))
        {
            Put(ref sink, context, codec, request, key);
        }

        sink.End();
        GC.KeepAlive(keys);
    }

    /// <summary>The same, with each key made when it is its turn and freed after it.</summary>
    /// <param name="requests">What to write, elements rising.</param>
    /// <param name="make">A set with the key asked for.</param>
    public static void Write(ref WireSink sink, CkksContext context, IReadOnlyList<KeyRequest> requests, Func<KeyRequest, EvaluationKeys> make)
    {
        Begin(ref sink, context.Parameters, requests);
        using var codec = new LimbCodec(context.Ring);
        foreach (var request in requests)
        {
            using var keys = make(request);
            var key = keys.Get(request.Element, request.Level, "Writing a key");
            Fingerprints.Check("the evaluation keys", key.Parameters, context);
            Put(ref sink, context, codec, request, key);
        }

        sink.End();
    }

    /// <param name="wanted">Keys to keep, each up to its level; null: all. Others are checked as they pass and take no memory.</param>
    /// <param name="budgetBytes">Native memory for all of them, beyond which halves are expanded on demand; null: all is expanded now.</param>
    public static EvaluationKeys ReadEvaluationKeys(ref WireSource source, CkksContext context, WireLimits limits, IReadOnlyCollection<KeyRequest>? wanted = null, long? budgetBytes = null)
    {
        var (parameters, ring) = (context.Parameters, context.Ring);
        var header = WireHeader.Read(ref source, WireKind.EvaluationKeys, parameters);
        if (header with { PayloadBytes = 0, Count = 0 } != new WireHeader(WireKind.EvaluationKeys, WireForm.Seeded, 2, 0, 0, 0))
        {
            throw new WireFormatException("a seeded set of keys of 2 parts", $"{header}", WireFormatException.Resend);
        }

        if (header.Count < 0 || header.Count > Math.Min(limits.MaxKeys, parameters.Degree + 1))
        {
            throw new WireFormatException($"at most {Math.Min(limits.MaxKeys, parameters.Degree + 1)} keys", $"{header.Count}", "Raise the limit if so many are meant to come.");
        }

        var requests = Directory(ref source, context, header.Count, limits);
        header.CheckSize(WireSize.EvaluationKeys(parameters, requests), limits, source, read: header.Count * WireSize.DirectoryEntry);
        int[] kept = Kept(requests, wanted);
        using var codec = new LimbCodec(ring);
        using var draft = new PolynomialDraft(ring);
        using var nowhere = ring.NewPolynomial(1);
        var (seeds, b) = (new Seed[requests.Length], new Polynomial[requests.Length][]);
        for (var k = 0; k < requests.Length; k++)
        {
            var (level, most) = (requests[k].Level, kept[k]);
            seeds[k] = source.ReadSeed();
            b[k] = [.. Enumerable.Range(0, most < 0 ? 0 : parameters.DigitCount(most)).Select(_ => draft.New(most + 1, special: true))];
            for (var j = 0; j < parameters.DigitCount(level); j++)
            {
                for (var i = 0; i <= level + ring.SpecialLength; i++)
                {
                    // As where it is written: of a lower level there are fewer digits, and fewer limbs before the special ones.
                    var place = i > level ? i - level + most : i;
                    var isKept = j < b[k].Length && (i > level || i <= most);
                    codec.Read(ref source, i > level ? ring.Special(i - level - 1) : ring.Chain(i), isKept ? b[k][j][place] : nowhere[0]);
                }
            }
        }

        source.End();
        draft.Keep();
        var keys = budgetBytes is { } budget ? new EvaluationKeys(ring, budget) : new EvaluationKeys();
        for (var k = 0; k < requests.Length; k++)
        {
            if (kept[k] >= 0)
            {
                var key = new SwitchingKey(kept[k], b[k], null, seeds[k], parameters);
                if (budgetBytes is null)
                {
                    key.Expand(ring);
                }

                keys.Add(requests[k].Element, key);
            }
        }

        return keys;
    }

    /// <summary>The level up to which each key is kept, −1 for none.</summary>
    private static int[] Kept(KeyRequest[] there, IReadOnlyCollection<KeyRequest>? wanted)
    {
        if (wanted is null)
        {
            return [.. there.Select(request => request.Level)];
        }

        var levels = wanted.GroupBy(request => request.Element).ToDictionary(group => group.Key, group => group.Max(request => request.Level));
        int[] kept = [.. there.Select(request => levels.Remove(request.Element, out var level)
            ? level <= request.Level ? level : throw new WireFormatException($"a key of element {request.Element} up to level {level}", $"one up to level {request.Level}", WireFormatException.Resend)
            : -1)];
        return levels.Count == 0
            ? kept
            : throw new WireFormatException($"keys of elements {string.Join(", ", levels.Keys.Order())} too", $"{there.Length} others", WireFormatException.Resend);
    }

    private static void Begin(ref WireSink sink, CkksParameters parameters, IReadOnlyList<KeyRequest> requests)
    {
        var payload = WireSize.EvaluationKeys(parameters, requests) - WireSize.Header - WireSize.Checksum;
        new WireHeader(WireKind.EvaluationKeys, WireForm.Seeded, 2, 0, requests.Count, payload).Write(ref sink, parameters.Fingerprint.Span);
        foreach (var request in requests)
        {
            sink.Write(request.Element);
            sink.Write(request.Level);
        }
    }

    private static void Put(ref WireSink sink, CkksContext context, LimbCodec codec, KeyRequest request, SwitchingKey key)
    {
        var ring = context.Ring;
        sink.Write(key.Seed.Span);
        for (var j = 0; j < context.Parameters.DigitCount(request.Level); j++)
        {
            // A key for a lower level is a part of the one for a higher level: its limbs, and fewer digits.
            for (var i = 0; i <= request.Level; i++)
            {
                codec.Write(ref sink, ring.Chain(i), key.B[j][i]);
            }

            for (var i = 0; i < ring.SpecialLength; i++)
            {
                codec.Write(ref sink, ring.Special(i), key.B[j][key.Level + 1 + i]);
            }
        }
    }

    private static KeyRequest[] Directory(ref WireSource source, CkksContext context, int count, WireLimits limits)
    {
        if (source.Remaining is { } rest && rest < (long)count * WireSize.DirectoryEntry)
        {
            throw new WireFormatException($"a directory of {count} keys", $"{rest} bytes", $"The object was cut off. {WireFormatException.Resend}");
        }

        var parameters = context.Parameters;
        var requests = new List<KeyRequest>();
        for (var k = 0; k < count; k++)
        {
            var (element, level) = (source.ReadInt32(), source.ReadInt32());
            if (element != KeyRequest.Relinearisation && !Galois.IsElement(parameters, element))
            {
                throw new WireFormatException($"an odd element below {2 * parameters.Degree}, or {KeyRequest.Relinearisation} for products", $"{element}", WireFormatException.Resend);
            }

            if (k > 0 && element <= requests[^1].Element)
            {
                throw new WireFormatException($"elements that rise, each once", $"{element} after {requests[^1].Element}", WireFormatException.Resend);
            }

            if (level < 0 || level > parameters.MaxLevel)
            {
                throw new WireFormatException($"a level from 0 to {parameters.MaxLevel}", $"{level}", WireFormatException.Resend);
            }

            requests.Add(new KeyRequest(element, level));
        }

        return [.. requests];
    }
}
