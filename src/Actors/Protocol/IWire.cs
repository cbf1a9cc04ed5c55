namespace ActorTrainer.Actors.Protocol;

/// <summary>Marks a message or event that <see cref="WireSerializer"/> writes; nothing else may cross a process border.</summary>
public interface IWire;

/// <summary>A message of one attempt of one run; a receiver drops those of earlier attempts.</summary>
public interface IAttemptMessage : IWire
{
    string Run { get; }

    int Attempt { get; }
}
