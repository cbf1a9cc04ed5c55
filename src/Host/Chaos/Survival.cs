namespace ActorTrainer.Host.Chaos;

/// <summary>One line of the survival table.</summary>
internal sealed record Survival
{
    public required int Number { get; init; }

    public required string Fault { get; init; }

    public required string Nodes { get; init; }

    /// <summary>Last step done when it took effect.</summary>
    public required long AtStep { get; init; }

    /// <summary>Seconds to the next attempt; null: the attempt under way survived.</summary>
    public double? DetectedSeconds { get; init; }

    /// <summary>Seconds to the next committed step; null: it did not come.</summary>
    public double? RecoveredSeconds { get; init; }

    /// <summary>Steps done a second time.</summary>
    public long Replayed { get; init; }

    /// <summary>Whether all steps up to the next fault have the digests of the undisturbed run; null: not compared.</summary>
    public bool? DigestsEqual { get; init; }

    /// <summary>What was done otherwise than planned.</summary>
    public string Note { get; init; } = "";
}
