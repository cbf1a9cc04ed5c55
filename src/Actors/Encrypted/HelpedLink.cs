using ActorTrainer.Actors.Protocol;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>The way to the owner, and those to helpers, which begin and end with it.</summary>
/// <param name="owner">This one's from here on.</param>
/// <param name="helpers">This one's too.</param>
public sealed class HelpedLink(IOwnerLink owner, IReadOnlyList<IOwnerLink> helpers) : IOwnerLink
{
    /// <inheritdoc/>
    public IReadOnlyList<IOwnerLink> Helpers => helpers;

    /// <inheritdoc/>
    public int MaxLevel => owner.MaxLevel;

    /// <inheritdoc/>
    public string? Outage => owner.Outage;

    /// <inheritdoc/>
    public RefreshTraffic Traffic => owner.Traffic;

    /// <inheritdoc/>
    public void Begin(string run, int attempt, long step, Phase phase, int microBatch)
    {
        owner.Begin(run, attempt, step, phase, microBatch);
        foreach (var helper in helpers)
        {
            helper.Begin(run, attempt, step, phase, microBatch);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<Ciphertext> Refresh(IReadOnlyList<Ciphertext> ciphertexts, int level, string site) => owner.Refresh(ciphertexts, level, site);

    /// <inheritdoc/>
    public void Report(IReadOnlyList<Ciphertext> ciphertexts, string site) => owner.Report(ciphertexts, site);

    /// <inheritdoc/>
    public void Cancel()
    {
        owner.Cancel();
        foreach (var helper in helpers)
        {
            helper.Cancel();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        owner.Dispose();
        foreach (var helper in helpers)
        {
            helper.Dispose();
        }
    }
}
