using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>Notes to which level given ciphertexts would have to be lifted.</summary>
/// <param name="inner">Refreshes.</param>
internal sealed class LevelProbe(IRefresher inner) : IRefresher
{
    private readonly Dictionary<Ciphertext, int> _watched = new(ReferenceEqualityComparer.Instance);

    /// <inheritdoc/>
    public int MaxLevel => inner.MaxLevel;

    /// <inheritdoc/>
    public int Floor => inner.Floor;

    /// <inheritdoc/>
    public int Reach(string site) => inner.Reach(site);

    /// <summary>The highest level that any of these is lifted to, the lowest where none is; to be asked when the program has run.</summary>
    public Func<int> Watch(IReadOnlyList<Ciphertext> ciphertexts)
    {
        foreach (var ciphertext in ciphertexts)
        {
            _watched.Add(ciphertext, inner.Floor);
        }

        return () => ciphertexts.Select(c => _watched[c]).DefaultIfEmpty(inner.Floor).Max();
    }

    /// <inheritdoc/>
    public IReadOnlyList<Ciphertext> Refresh(IReadOnlyList<Ciphertext> ciphertexts, int level, string site)
    {
        foreach (var ciphertext in ciphertexts.Where(_watched.ContainsKey))
        {
            _watched[ciphertext] = Math.Max(_watched[ciphertext], level);
        }

        return inner.Refresh(ciphertexts, level, site);
    }
}
