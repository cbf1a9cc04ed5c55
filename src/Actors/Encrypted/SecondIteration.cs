namespace ActorTrainer.Actors.Encrypted;

/// <summary>What is bootstrapped twice, for precision: see <see cref="He.Refresh.TwiceRefresher"/>.</summary>
public enum SecondIteration
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Learned weights and moments, whose errors stay.</summary>
    State,

    /// <summary>Everything.</summary>
    All,
}
