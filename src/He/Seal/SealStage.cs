namespace ActorTrainer.He.Seal;

/// <summary>Parts of an object that is being read: disposed together unless the object is finished.</summary>
internal sealed class SealStage : IDisposable
{
    private readonly List<IDisposable> _parts = [];

    public T Add<T>(T part)
        where T : IDisposable
    {
        _parts.Add(part);
        return part;
    }

    /// <summary>The parts belong to the finished object from here on.</summary>
    public T Finish<T>(T whole)
    {
        _parts.Clear();
        return whole;
    }

    public void Dispose() => _parts.ForEach(part => part.Dispose());
}
