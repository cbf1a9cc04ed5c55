namespace ActorTrainer.He.Refresh;

/// <summary>Refreshes that a program asked for, by site and level. Threads may note at once; read it when they are done.</summary>
public sealed class RefreshLedger
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<(string Site, int Level), long> _counts = [];

    /// <summary>Ciphertexts for each site and level lifted to.</summary>
    public IReadOnlyDictionary<(string Site, int Level), long> Counts => _counts;

    public long Total => _counts.Values.Sum();

    /// <summary>Counts ciphertexts that are lifted to a level: called by refreshers.</summary>
    public void Note(string site, int level, int ciphertexts)
    {
        lock (_gate)
        {
            _counts[(site, level)] = _counts.GetValueOrDefault((site, level)) + ciphertexts;
        }
    }
}
