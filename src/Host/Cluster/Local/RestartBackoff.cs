namespace ActorTrainer.Host.Cluster.Local;

/// <summary>How long a supervisor waits before it starts a node that has ended again.</summary>
internal sealed record RestartBackoff
{
    /// <summary>After the first end.</summary>
    public TimeSpan First { get; init; } = TimeSpan.FromSeconds(0.1);

    /// <summary>At most; each end in a row doubles the time up to here.</summary>
    public TimeSpan Most { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>A node that has lived this long ended for the first time.</summary>
    public TimeSpan ResetAfter { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Ends in a row, counting one after <paramref name="life"/>.</summary>
    public int Count(int before, TimeSpan life) => life >= ResetAfter ? 1 : before + 1;

    /// <summary>Time to wait after that many ends in a row.</summary>
    public TimeSpan After(int ends) => TimeSpan.FromSeconds(Math.Min(Most.TotalSeconds, First.TotalSeconds * Math.Pow(2, Math.Max(0, ends - 1))));
}
