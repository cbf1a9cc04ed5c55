using System.Collections.Concurrent;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Bootstrapping;
using ActorTrainer.He.Layers;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Planning;
using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>How a run refreshes: the owner, bootstrapping, or each its own sites. All that programs see of it is an <see cref="IRefresher"/>.</summary>
public sealed class Refreshing
{
    /// <summary>One for each parameter set: the matrices of its transforms are large, and the same for all.</summary>
    private static readonly ConcurrentDictionary<string, Lazy<Bootstrapper>> Bootstrappers = new();

    /// <summary>Ends of the names of sites where learned weights are lifted, packed, and moments.</summary>
    private static readonly string[] States = [VectorPack.PackedSite, EncryptedAdamW.WeightsSite, EncryptedAdamW.MomentsSite];

    private readonly Lazy<Bootstrapper>? _bootstrapper;
    private readonly IReadOnlyDictionary<string, double> _bounds;
    private readonly CkksParameters _parameters;
    private readonly Func<string, int> _reach;
    private readonly SecondIteration _twice;

    /// <param name="bounds">See <see cref="EncryptedRecipe.Bounds"/>.</param>
    /// <param name="reach">See <see cref="EncryptedRecipe.Reach"/>.</param>
    /// <param name="twice">See <see cref="EncryptedRecipe.Twice"/>.</param>
    public Refreshing(
        RefreshKind kind, CkksParameters parameters, IReadOnlyDictionary<string, double>? bounds = null, IReadOnlyDictionary<string, int>? reach = null, SecondIteration twice = SecondIteration.None)
        : this(kind, parameters, bounds ?? new Dictionary<string, double>(), site => reach?.GetValueOrDefault(site) ?? 0, twice)
    {
    }

    private Refreshing(RefreshKind kind, CkksParameters parameters, IReadOnlyDictionary<string, double> bounds, Func<string, int> reach, SecondIteration twice)
    {
        // What the owner lifts is lifted as far as it has to be, and seen by the owner each time.
        (Kind, _parameters, _bounds, _twice, _reach) = (kind, parameters, bounds, twice, kind switch
        {
            RefreshKind.Owner => _ => 0,
            RefreshKind.Mixed => site => IsOptimisers(site) ? 0 : reach(site),
            _ => reach,
        });
        _bootstrapper = kind == RefreshKind.Owner
            ? null
            : Bootstrappers.GetOrAdd(Convert.ToHexStringLower(parameters.Fingerprint.Span), _ => new(() => new Bootstrapper(parameters, BootstrapShape.For(parameters))));
    }

    public RefreshKind Kind { get; }

    /// <summary>Whether keys for bootstrapping are needed.</summary>
    public bool Bootstraps => _bootstrapper is not null;

    /// <summary>The lowest level that programs use.</summary>
    public int Floor => _bootstrapper?.Value.InputLevel ?? 0;

    /// <summary>Whether levels to reach were chosen by <see cref="With"/>; else a plan finds them where stages bootstrap.</summary>
    public bool IsPlaced { get; private init; }

    /// <summary>The same with other levels to reach.</summary>
    /// <param name="reach">By site; 0: none.</param>
    public Refreshing With(Func<string, int> reach) => new(Kind, _parameters, _bounds, reach, _twice) { IsPlaced = true };

    /// <summary>Keys that bootstrapping takes.</summary>
    public IReadOnlyList<KeyRequest> Requests() => _bootstrapper?.Value.Requests() ?? [];

    /// <summary>Most levels to reach that make a difference.</summary>
    public int HighestReach => _bootstrapper is { } b ? b.Value.OutputLevel - b.Value.InputLevel : 0;

    /// <summary>Predicted seconds of a request's bootstraps.</summary>
    /// <returns>Of so many ciphertexts, of which two go through together.</returns>
    public Func<int, double> SecondsOf(OperationCosts costs)
    {
        var (single, pair) = (Seconds(pair: false), Seconds(pair: true));
        return ciphertexts => (ciphertexts / 2 * pair) + (ciphertexts % 2 * single);

        // Diagonals of bootstrapping are used most often, so they are what a cache is for.
        double Seconds(bool pair) => _bootstrapper!.Value.Operations(pair).Sum(entry => entry.Value * costs.Seconds(entry.Key.Operation, entry.Key.Level, held: 1));
    }

    /// <summary>Refreshes on the twin, without error, and on paper, without a bootstrapping's operations.</summary>
    public IRefresher InTheClear(IBackend backend) => new ClearRefresher(backend, Floor, _bootstrapper?.Value.OutputLevel, _reach);

    /// <summary>Refreshes of a program.</summary>
    /// <param name="evaluator">The program's.</param>
    /// <param name="owner">The way to the owner; on paper, what stands for it.</param>
    /// <param name="helpers">Who bootstraps too; null: nobody.</param>
    public IRefresher Of(Evaluator evaluator, IRefresher owner, IReadOnlyList<IOwnerLink>? helpers = null) => Kind switch
    {
        RefreshKind.Owner => owner,
        RefreshKind.Bootstrap => Bootstrap(evaluator, helpers ?? []),
        _ => new SitesOfTwo(Bootstrap(evaluator, helpers ?? []), owner, IsOptimisers),
    };

    /// <summary>How often a refresh at a site is bootstrapped; 0: the owner lifts it.</summary>
    public int Iterations(string site) => Kind == RefreshKind.Owner || (Kind == RefreshKind.Mixed && IsOptimisers(site)) ? 0 : IsTwice(site) ? 2 : 1;

    /// <summary>What the optimiser keeps and computes.</summary>
    private static bool IsOptimisers(string site) => site.Contains(".optimiser", StringComparison.Ordinal) || IsState(site);

    /// <summary>What it keeps.</summary>
    private static bool IsState(string site) => States.Any(end => site.EndsWith(end, StringComparison.Ordinal));

    private bool IsTwice(string site) => _twice == SecondIteration.All || (_twice == SecondIteration.State && IsState(site));

    private IRefresher Bootstrap(Evaluator evaluator, IReadOnlyList<IOwnerLink> helpers)
    {
        var bounds = TwiceRefresher.WithRests(BoundOf);
        var own = new BootstrapRefresher(evaluator, _bootstrapper!.Value, bounds, _reach);
        return new TwiceRefresher(evaluator, helpers.Count == 0 ? own : new SharedRefresher(own, helpers, bounds), IsTwice);
    }

    private double? BoundOf(string site) => _bounds.TryGetValue(site, out var bound) ? bound : null;

    /// <summary>Each site with one of two refreshers.</summary>
    private sealed class SitesOfTwo(IRefresher stages, IRefresher owner, Func<string, bool> isOwners) : IRefresher
    {
        public int MaxLevel => stages.MaxLevel;

        public int Floor => stages.Floor;

        public int Reach(string site) => stages.Reach(site);

        public IReadOnlyList<Ciphertext> Refresh(IReadOnlyList<Ciphertext> ciphertexts, int level, string site) => (isOwners(site) ? owner : stages).Refresh(ciphertexts, level, site);
    }
}
