using ActorTrainer.He.Circuits;

namespace ActorTrainer.He.Layers;

/// <summary>
/// Where the refreshed values of a site have to lie, since a polynomial is evaluated on them: outside it gives nonsense, and far outside it wrecks the whole ciphertext. In the units of what is
/// refreshed at the site, which is before constants that fold into the product with the domain's map.
/// </summary>
/// <param name="Site">Name of the refresh.</param>
/// <param name="Low">Lower end.</param>
/// <param name="High">Upper end.</param>
public sealed record SiteRange(string Site, double Low, double High)
{
    /// <summary>
    /// Room beyond each end, in widths of the interval, for the noise of values on its edge, as squares that are zero: a polynomial of degree 63 is at most twice as large there
    /// as within, so an error of the fit stays one of its size.
    /// </summary>
    public const double Slack = 1.0 / 16384;

    /// <summary>Which slots count; null: all. Those that do not hold what is masked before a function sees it.</summary>
    public IReadOnlyList<bool>? Slots { get; init; }

    /// <summary>Of exponents of attention: the group of shifts whose mask says which of them are of real tokens, the only ones that count. Null at all other sites.</summary>
    public int? ShiftGroup { get; init; }

    /// <summary>The domain of a circuit, and the slack, for values s that it takes as factor·s + offset.</summary>
    public static SiteRange Of(string site, FunctionCircuit circuit, double factor = 1, double offset = 0)
    {
        var (a, b) = ((circuit.Interval.Low - offset) / factor, (circuit.Interval.High - offset) / factor);
        return Around(site, Math.Min(a, b), Math.Max(a, b));
    }

    /// <summary>What a circuit takes as mapped already.</summary>
    public static SiteRange Mapped(string site) => Around(site, -1, 1);

    /// <summary>Within a circuit that is computed in parts: see <see cref="FunctionCircuit.EvaluateInParts"/>.</summary>
    /// <param name="name">Before the names of parts.</param>
    public static IEnumerable<SiteRange> OfParts(string name, FunctionCircuit circuit) => circuit.Parts.Select(part => Around($"{name}.{part.Name}", part.Low, part.High));

    private static SiteRange Around(string site, double low, double high) => new(site, low - (Slack * (high - low)), high + (Slack * (high - low)));
}
