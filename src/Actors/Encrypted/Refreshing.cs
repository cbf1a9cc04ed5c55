using System.Collections.Concurrent;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Bootstrapping;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>How a run refreshes: the owner, bootstrapping, or each its own sites. All that programs see of it is an <see cref="IRefresher"/>.</summary>
public sealed class Refreshing
{
    /// <summary>One for each parameter set: the matrices of its transforms are large, and the same for all.</summary>
    private static readonly ConcurrentDictionary<string, Lazy<Bootstrapper>> Bootstrappers = new();

    private readonly Lazy<Bootstrapper>? _bootstrapper;
    private readonly IReadOnlyDictionary<string, double> _bounds;

    /// <param name="bounds">See <see cref="EncryptedRecipe.Bounds"/>.</param>
    public Refreshing(RefreshKind kind, CkksParameters parameters, IReadOnlyDictionary<string, double>? bounds = null)
    {
        (Kind, _bounds) = (kind, bounds ?? new Dictionary<string, double>());
        _bootstrapper = kind == RefreshKind.Owner
            ? null
            : Bootstrappers.GetOrAdd(Convert.ToHexStringLower(parameters.Fingerprint.Span), _ => new(() => new Bootstrapper(parameters, BootstrapShape.For(parameters))));
    }

    public RefreshKind Kind { get; }

    /// <summary>Whether keys for bootstrapping are needed.</summary>
    public bool Bootstraps => _bootstrapper is not null;

    /// <summary>The lowest level that programs use.</summary>
    public int Floor => _bootstrapper?.Value.InputLevel ?? 0;

    /// <summary>Refreshes on the twin, without error, and on paper, without a bootstrapping's operations.</summary>
    public IRefresher InTheClear(IBackend backend) => new ClearRefresher(backend, Floor, _bootstrapper?.Value.OutputLevel);

    /// <summary>Refreshes of a program.</summary>
    /// <param name="evaluator">The program's.</param>
    /// <param name="owner">The way to the owner; on paper, what stands for it.</param>
    public IRefresher Of(Evaluator evaluator, IRefresher owner) => Kind switch
    {
        RefreshKind.Owner => owner,
        RefreshKind.Bootstrap => Bootstrap(evaluator),
        _ => new SitesOfTwo(Bootstrap(evaluator), owner, IsOwners),
    };

    /// <summary>Whether the owner lifts a site where stages lift others: the optimiser's state.</summary>
    private static bool IsOwners(string site) => site.Contains(".optimiser", StringComparison.Ordinal);

    private BootstrapRefresher Bootstrap(Evaluator evaluator) => new(evaluator, _bootstrapper!.Value, site => _bounds.TryGetValue(site, out var bound) ? bound : null);

    /// <summary>Each site with one of two refreshers.</summary>
    private sealed class SitesOfTwo(IRefresher stages, IRefresher owner, Func<string, bool> isOwners) : IRefresher
    {
        public int MaxLevel => stages.MaxLevel;

        public int Floor => stages.Floor;

        public IReadOnlyList<Ciphertext> Refresh(IReadOnlyList<Ciphertext> ciphertexts, int level, string site) => (isOwners(site) ? owner : stages).Refresh(ciphertexts, level, site);
    }
}
