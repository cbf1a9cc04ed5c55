using ActorTrainer.He.Backends;
using ActorTrainer.He.Circuits;
using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Tensors;

/// <summary>
/// Operations on activations, named for what they mean. Results are new, operands are kept. Products end with a rescale; levels in the descriptions
/// are those that an operation takes from its lowest operand.
/// </summary>
public sealed class TensorMath(Evaluator evaluator, IRefresher refresher, Packing packing)
{
    /// <summary>What results are declared to be at most: numbers of a network that trains are of moderate size, while products of bounds grow without end.</summary>
    private const double Moderate = 64;

    public Evaluator Evaluator => evaluator;

    public Packing Packing => packing;

    /// <summary>Levels that something has left until it must be refreshed: what <see cref="At(Ciphertext, int, string)"/> counts in.</summary>
    public int LevelOf(Ciphertext x) => x.Level - refresher.Floor;

    /// <inheritdoc cref="LevelOf(Ciphertext)"/>
    public int LevelOf(Activation x) => x.Level - refresher.Floor;

    /// <summary>
    /// The same at this level, or above it as far as the refresher says for the site, all parts at one level and its canonical scale: aligned where it is higher, refreshed where it is lower.
    /// </summary>
    /// <param name="level">Counted from the refresher's floor: levels that the result has left.</param>
    /// <param name="site">What it is, for the refresher.</param>
    public Activation At(Activation x, int level, string site) => new(x.Layout, At(x.Parts, level, site));

    /// <inheritdoc cref="At(Activation, int, string)"/>
    public Ciphertext At(Ciphertext x, int level, string site) => At([x], level, site)[0];

    /// <summary>The same of several at once, with one request for all that have to be lifted.</summary>
    /// <inheritdoc cref="At(Activation, int, string)"/>
    public Ciphertext[] At(IReadOnlyList<Ciphertext> x, int level, string site)
    {
        var wanted = level + refresher.Floor;
        var most = Math.Max(wanted, Math.Min(refresher.Reach(site) + refresher.Floor, refresher.MaxLevel));
        var low = x.Where(part => !Reaches(part, wanted)).ToArray();
        var lifted = low.Length == 0 ? [] : Refreshed(low, most, site);
        // Those that reach the level are not lifted with the others, which may come out higher than they are.
        var common = Math.Max(wanted, x.Where(part => Reaches(part, wanted)).Select(Highest).Append(most).Min());
        var next = 0;
        return [.. x.Select(part => Reaches(part, wanted) ? evaluator.AlignTo(part, common) : Lowered(lifted[next++], common))];
    }

    /// <summary>All at the level of the lowest.</summary>
    public Ciphertext[] Together(IReadOnlyList<Ciphertext> x)
    {
        var level = x.Min(Highest);
        return [.. x.Select(part => evaluator.AlignTo(part, level))];
    }

    /// <summary>The same at exactly this level, which it reaches.</summary>
    /// <param name="level">Counted from the refresher's floor.</param>
    public Ciphertext Exactly(Ciphertext x, int level) => evaluator.AlignTo(x, level + refresher.Floor);

    /// <summary>a + b; no level.</summary>
    public Activation Add(Activation a, Activation b) => Zip(a, b, evaluator.Add);

    /// <summary>a − b; no level.</summary>
    public Activation Subtract(Activation a, Activation b) => Zip(a, b, evaluator.Subtract);

    /// <summary>a ∘ b; one level.</summary>
    public Activation Multiply(Activation a, Activation b) => Zip(a, b, Product);

    /// <summary>a ∘ b with a number for each token and example, in every place; one level.</summary>
    public Activation Multiply(Activation a, Ciphertext b) => Map(a, part => Product(part, b));

    /// <summary>Each feature times a plain number; one level.</summary>
    /// <param name="factor">Of the feature.</param>
    public Activation Scale(Activation a, Func<int, double> factor) =>
        Indexed(a, (part, c) => Rescaled(evaluator.Multiply(part, PerPlace(a.Layout, c, factor))));

    /// <summary>Each feature plus a plain number; no level.</summary>
    /// <param name="term">Of the feature.</param>
    public Activation Shift(Activation a, Func<int, double> term) => Indexed(a, (part, c) => evaluator.Add(part, PerPlace(a.Layout, c, term)));

    /// <summary>A linear map of several ciphertexts, a result for each row; one level.</summary>
    public Ciphertext[] Transform(IReadOnlyList<Ciphertext> inputs, DiagonalMatrix map)
    {
        if (inputs.All(input => input.Level == inputs[0].Level && input.Scale.Matches(inputs[0].Scale)))
        {
            return Array.ConvertAll(evaluator.Transform(inputs, map), Rescaled);
        }

        var aligned = Together(inputs);
        var results = evaluator.Transform(aligned, map);
        Array.ForEach(aligned, input => input.Dispose());
        return Array.ConvertAll(results, Rescaled);
    }

    /// <summary>Σ over features, for each token and example in every place; no level.</summary>
    public Ciphertext SumFeatures(Activation a)
    {
        using var sum = Sum(a.Parts);
        return Bounded(SlotSums.Sum(evaluator, sum, packing.PlaceStride, packing.Places));
    }

    /// <summary>Σ over a head's features, for each head, token and example in every place of the head; no level.</summary>
    public Ciphertext SumHead(Ciphertext a) => Bounded(SlotSums.Sum(evaluator, a, packing.FeatureStride, packing.HeadPlaces));

    /// <summary>a·b, relinearised and rescaled; one level.</summary>
    public Ciphertext Product(Ciphertext a, Ciphertext b)
    {
        using var product = evaluator.Multiply(a, b);
        return Bounded(evaluator.Rescale(product));
    }

    /// <summary>a times a plain number; one level.</summary>
    public Ciphertext Product(Ciphertext a, double factor)
    {
        using var product = evaluator.Multiply(a, factor);
        return Bounded(evaluator.Rescale(product));
    }

    /// <summary>Σ aᵢ·bᵢ, relinearised and rescaled once; one level.</summary>
    /// <param name="freeFirst">Frees each aᵢ after its product.</param>
    public Ciphertext SumOfProducts(IEnumerable<(Ciphertext A, Ciphertext B)> pairs, bool freeFirst = false)
    {
        using var sum = Folded(pairs.Select(pair =>
        {
            var product = evaluator.MultiplyLazy(pair.A, pair.B);
            (freeFirst ? pair.A : null)?.Dispose();
            return product;
        }));
        using var two = evaluator.Relinearise(sum);
        return Bounded(evaluator.Rescale(two));
    }

    /// <summary>The sum of ciphertexts, which are kept.</summary>
    public Ciphertext Sum(IReadOnlyList<Ciphertext> terms) => Folded(terms.Select(term => evaluator.DropTo(term, term.Level)));

    private Ciphertext Lowered(Ciphertext x, int level)
    {
        if (x.Level == level)
        {
            return x;
        }

        using (x)
        {
            return evaluator.AlignTo(x, level);
        }
    }

    /// <summary>
    /// Errors are estimated from refresh to refresh: what a refreshed number was before has become the message, and what its error does to later layers is a matter of
    /// training, which is held against the twin.
    /// </summary>
    private Ciphertext[] Refreshed(IReadOnlyList<Ciphertext> x, int level, string site) =>
        [.. refresher.Refresh(x, level, site).Select(c => Bounded(c).WithNoise(NoiseModel.Symmetric))];

    /// <summary>The highest level at which this has the canonical scale or can be brought to it.</summary>
    private static int Highest(Ciphertext x) => x.Scale.Matches(x.Parameters.ScaleAt(x.Level)) ? x.Level : x.Parameters.Below(x.Level);

    private static bool Reaches(Ciphertext x, int level) => x.Level > level || (x.Level == level && x.Scale.Matches(x.Parameters.ScaleAt(level)));

    /// <summary>Adds ciphertexts up, each of which is freed.</summary>
    private Ciphertext Folded(IEnumerable<Ciphertext> terms)
    {
        Ciphertext? sum = null;
        foreach (var term in terms)
        {
            sum = sum is null ? term : Joined(sum, term);
        }

        return sum ?? throw new ArgumentException("A sum needs at least one term.", nameof(terms));

        Ciphertext Joined(Ciphertext a, Ciphertext b)
        {
            using (a)
            using (b)
            {
                return evaluator.Add(a, b);
            }
        }
    }

    private Ciphertext Rescaled(Ciphertext product)
    {
        using (product)
        {
            return Bounded(evaluator.Rescale(product));
        }
    }

    private static Ciphertext Bounded(Ciphertext x) => x.Magnitude > Moderate ? x.WithMagnitude(Moderate) : x;

    private PlainVector PerPlace(FeatureLayout layout, int ciphertext, Func<int, double> value) => new PlaceValues(packing, [.. Enumerable.Range(0, packing.Places)
        .Select(place => layout.FeatureAt(ciphertext, place) is var feature and >= 0 ? value(feature) : 0)]).ToVector();

    private static Activation Map(Activation a, Func<Ciphertext, Ciphertext> work) => new(a.Layout, [.. a.Parts.Select(work)]);

    private static Activation Indexed(Activation a, Func<Ciphertext, int, Ciphertext> work) => new(a.Layout, [.. a.Parts.Select(work)]);

    private static Activation Zip(Activation a, Activation b, Func<Ciphertext, Ciphertext, Ciphertext> work) => new(a.Layout, [.. a.Parts.Zip(b.Parts, work)]);
}
