using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Checkpoints;

/// <summary>Content-addressed objects, as those who save and load units see them.</summary>
public interface IObjectStore
{
    /// <summary>Stores what <paramref name="write"/> writes (forward only) and returns its hash: 64 lower-case hexadecimal digits.</summary>
    string Put(Action<Stream> write);

    /// <summary>File of an object whose content has been checked against its name; may bring it here first.</summary>
    /// <exception cref="RefusedException">There is no such object, or it is damaged; the message says where it was looked for.</exception>
    string Verified(string hash);
}
