using System.Threading.Channels;
using Nacelle.Images;
using Nacelle.Pods;
using Nacelle.Services.V1Alpha;

namespace Nacelle.Services;

/// <summary>Watches pods and images for all listeners at once, and remembers the latest events.</summary>
sealed class EventHub
{
    /// <summary>How many events are remembered, and how far a listener may fall behind.</summary>
    const int Remembered = 4096;

    readonly Lock gate = new();
    readonly Queue<Event> past = new();
    readonly HashSet<Channel<Event>> listeners = [];

    /// <summary>Watches from now on, to the end of the process.</summary>
    public EventHub(PodStore pods, ImageStore images)
    {
        var ofPods = new PodEvents(pods);
        var ofImages = new ImageEvents(images);
        var messages = new EventMessages(Preparing(pods));
        Watch("pods", () => ofPods.Wait(-1).Select(messages.Of));
        Watch("images", () => ofImages.Wait(-1).Select(EventMessages.Of));
    }

    /// <param name="past">What is remembered, the oldest first; nothing is lost between it and the first that is read.</param>
    /// <returns>The events to come. It ends with a failure when they are not read in time.</returns>
    public Channel<Event> Listen(out IReadOnlyList<Event> past)
    {
        var listener = Channel.CreateBounded<Event>(new BoundedChannelOptions(Remembered) { SingleReader = true });
        lock (gate)
        {
            past = [.. this.past];
            listeners.Add(listener);
        }

        return listener;
    }

    public void Leave(Channel<Event> listener)
    {
        lock (gate)
        {
            listeners.Remove(listener);
        }
    }

    static List<string> Preparing(PodStore pods)
    {
        var uuids = new List<string>();
        foreach (var found in pods.List())
        {
            using (found)
            {
                if (found.State is Pods.PodState.Embryo or Pods.PodState.Preparing or Pods.PodState.AbortedPrepare)
                {
                    uuids.Add(found.Pod.Uuid);
                }
            }
        }

        return uuids;
    }

    void Watch(string name, Func<IEnumerable<Event?>> wait) => new Thread(() =>
    {
        while (true)
        {
            foreach (var one in wait())
            {
                if (one is not null)
                {
                    Tell(one);
                }
            }
        }
    }) { IsBackground = true, Name = $"events of {name}" }.Start();

    void Tell(Event one)
    {
        lock (gate)
        {
            past.Enqueue(one);
            if (past.Count > Remembered)
            {
                past.Dequeue();
            }

            foreach (var listener in listeners)
            {
                if (!listener.Writer.TryWrite(one))
                {
                    listener.Writer.TryComplete(new ListenerTooSlowException());
                }
            }
        }
    }
}

/// <summary>So many events wait to be read that no more are kept.</summary>
sealed class ListenerTooSlowException : Exception;
