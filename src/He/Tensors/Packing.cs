using System.Numerics;

namespace ActorTrainer.He.Tensors;

/// <summary>
/// Where numbers of an activation [batch, tokens, features] lie in ciphertexts: slot (place·T + t)·B + b, examples fastest, so that a rotation by k·T·B
/// is a cyclic shift of the F = slots/(T·B) places.
/// </summary>
public sealed record Packing
{
    /// <exception cref="ArgumentException">A number is not a power of two, or the parts do not fill the slots.</exception>
    public Packing(int slots, int tokens, int batch, int heads, int headWidth)
    {
        if (!BitOperations.IsPow2(slots) || !BitOperations.IsPow2(tokens) || !BitOperations.IsPow2(batch) || (long)tokens * batch > slots)
        {
            throw new ArgumentException($"Expected powers of two with tokens · batch at most the {slots} slots; found {tokens} tokens, batch {batch}. Pad the sequences or the batch.");
        }

        if (heads < 1 || headWidth < 1)
        {
            throw new ArgumentException($"Expected at least one head of at least one feature; found {heads} of {headWidth}.");
        }

        (Slots, Tokens, Batch, Heads, HeadWidth) = (slots, tokens, batch, heads, headWidth);
        Places = slots / (tokens * batch);
        HeadPlaces = (int)BitOperations.RoundUpToPowerOf2((uint)headWidth);
        if (HeadPlaces > Places)
        {
            throw new ArgumentException($"A head of {headWidth} features does not fit {Places} places of a ciphertext. Use a smaller batch, fewer tokens, or a larger ring.");
        }

        HeadsPerCiphertext = Places / HeadPlaces;
    }

    /// <summary>N/2.</summary>
    public int Slots { get; }

    /// <summary>T.</summary>
    public int Tokens { get; }

    /// <summary>B.</summary>
    public int Batch { get; }

    public int Heads { get; }

    /// <summary>Features of a head.</summary>
    public int HeadWidth { get; }

    /// <summary>F: features in a ciphertext.</summary>
    public int Places { get; }

    /// <summary>Places of a head's features: its width, or the power of two above it.</summary>
    public int HeadPlaces { get; }

    /// <summary>Heads that share a ciphertext, side by side at every feature.</summary>
    public int HeadsPerCiphertext { get; }

    /// <summary>Slots from one place to the next.</summary>
    public int PlaceStride => Tokens * Batch;

    /// <summary>Slots from one feature of a head to its next.</summary>
    public int FeatureStride => HeadsPerCiphertext * PlaceStride;

    /// <summary>Features in their heads: hidden activations.</summary>
    public FeatureLayout Hidden => new(this, Heads * HeadWidth, ByHead: true);

    /// <summary>Features one after the other: inner activations, which have no heads.</summary>
    public FeatureLayout Plain(int features) => new(this, features, ByHead: false);
}

/// <summary>Which ciphertext and place each feature of an activation has.</summary>
/// <param name="Features">How many.</param>
/// <param name="ByHead">Feature i of head h at place i·(heads in a ciphertext) + h, or one after the other.</param>
public sealed record FeatureLayout(Packing Packing, int Features, bool ByHead)
{
    /// <summary>Ciphertexts of an activation.</summary>
    public int Ciphertexts => ByHead
        ? (Packing.Heads + Packing.HeadsPerCiphertext - 1) / Packing.HeadsPerCiphertext
        : (Features + Packing.Places - 1) / Packing.Places;

    /// <summary>The feature at a place, −1 where there is none.</summary>
    public int FeatureAt(int ciphertext, int place)
    {
        if (!ByHead)
        {
            var plain = (ciphertext * Packing.Places) + place;
            return plain < Features ? plain : -1;
        }

        var (i, head) = (place / Packing.HeadsPerCiphertext, (ciphertext * Packing.HeadsPerCiphertext) + (place % Packing.HeadsPerCiphertext));
        return i < Packing.HeadWidth && head < Packing.Heads ? (head * Packing.HeadWidth) + i : -1;
    }

    /// <summary>Numbers to slots: one array for each ciphertext, zero where there is no feature.</summary>
    /// <param name="value">Of (example, token, feature).</param>
    public double[][] Pack(Func<int, int, int, double> value)
    {
        var result = new double[Ciphertexts][];
        for (var c = 0; c < result.Length; c++)
        {
            result[c] = new double[Packing.Slots];
            for (var place = 0; place < Packing.Places; place++)
            {
                if (FeatureAt(c, place) is var feature and >= 0)
                {
                    for (var i = 0; i < Packing.PlaceStride; i++)
                    {
                        result[c][(place * Packing.PlaceStride) + i] = value(i % Packing.Batch, i / Packing.Batch, feature);
                    }
                }
            }
        }

        return result;
    }

    /// <summary>Slots to numbers [batch, tokens, features].</summary>
    /// <param name="slots">One list for each ciphertext.</param>
    public double[,,] Unpack(IReadOnlyList<IReadOnlyList<double>> slots)
    {
        var result = new double[Packing.Batch, Packing.Tokens, Features];
        for (var c = 0; c < Ciphertexts; c++)
        {
            for (var place = 0; place < Packing.Places; place++)
            {
                if (FeatureAt(c, place) is var feature and >= 0)
                {
                    for (var i = 0; i < Packing.PlaceStride; i++)
                    {
                        result[i % Packing.Batch, i / Packing.Batch, feature] = slots[c][(place * Packing.PlaceStride) + i];
                    }
                }
            }
        }

        return result;
    }
}
