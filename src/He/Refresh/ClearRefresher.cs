using ActorTrainer.He.Backends;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Refresh;

/// <summary>Refreshes on the twin and on paper, with the noise that the owner's refresh has.</summary>
/// <param name="backend">Of the program: <see cref="TwinBackend"/> or <see cref="PlanBackend"/>.</param>
/// <param name="floor">See <see cref="IRefresher.Floor"/>: that of what it stands for.</param>
/// <param name="top">The highest level, of what it stands for; null for that of the parameters.</param>
/// <param name="reach">See <see cref="IRefresher.Reach"/>; null: none.</param>
public sealed class ClearRefresher(IBackend backend, int floor = 0, int? top = null, Func<string, int>? reach = null) : IRefresher
{
    private readonly CkksParameters _parameters = backend is TwinBackend or PlanBackend
        ? backend.Parameters
        : throw new ArgumentException("Ciphertexts are refreshed by their owner or by bootstrapping, not in the clear.", nameof(backend));

    public int MaxLevel => top ?? _parameters.MaxLevel;

    public int Floor => floor;

    /// <inheritdoc/>
    public int Reach(string site) => reach?.Invoke(site) ?? 0;

    public RefreshLedger Ledger { get; } = new();

    /// <inheritdoc/>
    public IReadOnlyList<Ciphertext> Refresh(IReadOnlyList<Ciphertext> ciphertexts, int level, string site)
    {
        Ledger.Note(site, level, ciphertexts.Count);
        return [.. ciphertexts.Select(c => Lift(c, level))];
    }

    private Ciphertext Lift(Ciphertext a, int level)
    {
        if (a.Size != 2 || level > MaxLevel || a.Level < floor)
        {
            throw new MisuseException($"Cannot refresh {a} to level {level}: expected two parts, a level of at least {floor} now, and one of at most {MaxLevel} to lift to.");
        }

        // The twin's numbers do not depend on levels; a plan's payload has to be of the new size.
        var payload = backend is PlanBackend plan ? plan.Place(level) : backend.Drop(a.Payload, a.Level);
        var scale = _parameters.ScaleAt(level);
        backend.Disturb(payload, Math.Sqrt(NoiseModel.Symmetric * _parameters.Degree) / scale.High);
        return new Ciphertext(payload, _parameters, level, scale, NoiseModel.Symmetric + (a.NoiseVariance * Math.Pow((scale / a.Scale).High, 2)), a.Magnitude);
    }
}
