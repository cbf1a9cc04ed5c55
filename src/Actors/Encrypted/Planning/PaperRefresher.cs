using ActorTrainer.He.Backends;
using ActorTrainer.He.Planning;
using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.Actors.Encrypted.Planning;

/// <summary>Refreshes on paper and keeps, for each pass, what every block asked for and when.</summary>
/// <param name="inner">Refreshes, whose operations are counted with those of the block that asks.</param>
/// <param name="unit">Name of the unit that runs.</param>
/// <param name="costs">For the time of each refresh; null: all at 0.</param>
/// <param name="iterations">See <see cref="Refreshing.Iterations"/>.</param>
internal sealed class PaperRefresher(IRefresher inner, Ledger ledger, string unit, OperationCosts? costs, Func<string, int> iterations) : IRefresher
{
    private readonly OrderedDictionary<string, bool> _asked = new(StringComparer.Ordinal);
    private Dictionary<(string Part, Operation Operation, int Level), long> _before = [];
    private IReadOnlyDictionary<(Operation Operation, int Level), long> _start = new Dictionary<(Operation, int), long>();

    /// <inheritdoc/>
    public int MaxLevel => inner.MaxLevel;

    /// <inheritdoc/>
    public int Floor => inner.Floor;

    /// <inheritdoc/>
    public int Reach(string site)
    {
        _asked.TryAdd(site, true);
        return inner.Reach(site);
    }

    /// <summary>Names of all places where something could have been refreshed, in order.</summary>
    public IReadOnlyList<string> Places => [.. _asked.Keys];

    /// <summary>The pass that runs now.</summary>
    public PlanPass Pass { get; private set; }

    /// <summary>Requests since the pass began.</summary>
    public List<(string Block, PlannedLift Lift)> Lifts { get; } = [];

    /// <summary>The same in order, of all passes.</summary>
    public List<PlannedMoment> Moments { get; } = [];

    /// <summary>Names of all requests.</summary>
    public SortedSet<string> Sites { get; } = new(StringComparer.Ordinal);

    /// <summary>Begins a pass.</summary>
    public void Begin(PlanPass pass)
    {
        (Pass, _before, _start) = (pass, new(ledger.Parts), new Dictionary<(Operation, int), long>(ledger.Counts));
        Lifts.Clear();
    }

    /// <summary>The blocks of the pass, with what was done since it began.</summary>
    public IReadOnlyList<PlannedBlock> End()
    {
        var counts = ledger.Parts.Select(entry => (entry.Key, Value: entry.Value - _before.GetValueOrDefault(entry.Key))).Where(entry => entry.Value > 0)
            .ToLookup(entry => PlanBlocks.Of(unit, entry.Key.Part), entry => (Kind: (entry.Key.Operation, entry.Key.Level), entry.Value));
        var lifts = Lifts.ToLookup(entry => entry.Block, entry => entry.Lift);
        return
        [
            .. counts.Select(group => group.Key).Union(lifts.Select(group => group.Key)).Select(block => new PlannedBlock
            {
                Name = block,
                Pass = PlanBlocks.PassOf(block, Pass),
                Counts = counts[block].GroupBy(entry => entry.Kind).ToDictionary(group => group.Key, group => group.Sum(entry => entry.Value)),
                Lifts = lifts[block].CountBy(lift => lift).ToDictionary(group => group.Key, group => (long)group.Value),
            }),
        ];
    }

    /// <inheritdoc/>
    public IReadOnlyList<Ciphertext> Refresh(IReadOnlyList<Ciphertext> ciphertexts, int level, string site)
    {
        Sites.Add(site);
        var block = PlanBlocks.Of(unit, site);
        var from = ciphertexts.Min(c => c.Level);
        // Of one request all ciphertexts are at one level, but for rare sums: each is counted at its own.
        Lifts.AddRange(ciphertexts.GroupBy(c => c.Level).Select(group => (block, new PlannedLift(group.Key, level, group.Count(), iterations(site)))));
        Moments.Add(new PlannedMoment(Pass, block, Elapsed(), from, level));
        return inner.Refresh(ciphertexts, level, site);
    }

    private double Elapsed() => costs is null ? 0
        : ledger.Counts.Sum(entry => (entry.Value - _start.GetValueOrDefault(entry.Key)) * costs.Seconds(entry.Key.Operation, entry.Key.Level, held: 1));
}
