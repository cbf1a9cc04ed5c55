using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.Objects;

/// <summary>Answers the questions of other nodes for objects of this one; give <see cref="Handle"/> to <see cref="IPeerNetwork.Serve"/>.</summary>
/// <param name="store">Objects of this node.</param>
/// <param name="counters">Counts questions that are none.</param>
/// <param name="maxBytes">Largest object taken.</param>
/// <param name="patience">How long to wait for the next bytes of a question or an object.</param>
public sealed class ObjectServer(NodeStore store, PeerCounters counters, long maxBytes, TimeSpan patience)
{
    /// <summary>Answers until the other side closes the connection, falls silent or sends garbage; then closes it.</summary>
    public void Handle(PeerConnection connection)
    {
        using (connection)
        {
            try
            {
                ObjectLink.SetPatience(connection.Stream, patience);
                while (PeerHeaders.Read<ObjectProtocol.Request>(connection.Stream) is { } request && Serve(connection.Stream, request))
                {
                }
            }
            catch (InvalidDataException)
            {
                counters.CountMalformed();
            }
            catch (Exception e) when (e is IOException or InvalidOperationException or UnauthorizedAccessException)
            {
                // Gone, or silent for too long: nobody is left to be told.
            }
        }
    }

    /// <returns>False: what follows on the connection cannot be trusted.</returns>
    private bool Serve(Stream stream, ObjectProtocol.Request request)
    {
        if (request.Flaw() is { } flaw)
        {
            throw new InvalidDataException(flaw);
        }

        var hashes = request.HashTexts();
        return request.Kind switch
        {
            ObjectProtocol.Question.Has => Has(stream, request.Run, hashes),
            ObjectProtocol.Question.Get => Get(stream, request.Run, hashes[0]),
            _ => Put(stream, request, hashes[0]),
        };
    }

    private bool Has(Stream stream, string run, IReadOnlyList<string> hashes)
    {
        var held = store.Holds(run, hashes).ToHashSet();
        var bits = hashes.Select((hash, i) => held.Contains(hash) ? 1L << i : 0).Aggregate(0L, (all, bit) => all | bit);
        PeerHeaders.Write(stream, new ObjectProtocol.Answer(ObjectProtocol.Reply.Ok, bits, 0, ""));
        return true;
    }

    private bool Get(Stream stream, string run, string hash)
    {
        Stream file;
        long step;
        try
        {
            step = store.StepOf(run, hash);
            file = store.Open(run, hash);
        }
        catch (Exception e) when (e is RefusedException or IOException or UnauthorizedAccessException)
        {
            // The message names files of this machine, which are nobody else's business.
            PeerHeaders.Write(stream, ObjectProtocol.Answer.Refused(store.Holds(run, [hash]).Count > 0 ? "the object is damaged" : "no such object"));
            return true;
        }

        using (file)
        {
            PeerHeaders.Write(stream, new ObjectProtocol.Answer(ObjectProtocol.Reply.Ok, file.Length, step, ""));
            ObjectLink.Send(file, stream);
        }

        return true;
    }

    private bool Put(Stream stream, ObjectProtocol.Request request, string hash)
    {
        if (request.Length > maxBytes)
        {
            counters.CountMalformed();
            PeerHeaders.Write(stream, ObjectProtocol.Answer.Refused($"the object has {request.Length} bytes, at most {maxBytes} are taken (cluster.max_payload)"));
            return true;
        }

        if (store.Adopt(request.Run, request.Step, hash))
        {
            PeerHeaders.Write(stream, new ObjectProtocol.Answer(ObjectProtocol.Reply.Ok, 0, 0, ""));
            return true;
        }

        PeerHeaders.Write(stream, new ObjectProtocol.Answer(ObjectProtocol.Reply.Send, 0, 0, ""));
        try
        {
            store.Receive(request.Run, request.Step, hash, request.Length, stream);
        }
        catch (InvalidDataException e)
        {
            counters.CountMalformed();
            PeerHeaders.Write(stream, ObjectProtocol.Answer.Refused($"damaged on its way: {e.Message}"));
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            PeerHeaders.Write(stream, ObjectProtocol.Answer.Refused($"it could not be stored: {e.GetType().Name}"));
            return false;
        }

        PeerHeaders.Write(stream, new ObjectProtocol.Answer(ObjectProtocol.Reply.Ok, 0, 0, ""));
        return true;
    }
}
