using System.Text;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>A compiled filter in a plan's data, and the step that loads it.</summary>
/// <param name="Listens">Loading it gives a descriptor on which somebody decides about calls.</param>
sealed record SeccompProgram(PlanValue Program, SeccompFlags Flags, bool Listens)
{
    const int SECCOMP_SET_MODE_FILTER = 1;

    public static SeccompProgram Of(LaunchPlan plan, RuntimeSeccomp seccomp)
    {
        var filter = ContainerSeccomp.Compile(seccomp);
        var program = plan.Words(filter.Length, plan.Bytes(filter.Program)); // struct sock_fprog: a 16-bit length, padding, a pointer
        return new SeccompProgram(program, filter.Flags, (filter.Flags & SeccompFlags.NewListener) != 0);
    }

    /// <summary>Loads the filter; a listener is handed to the container's maker, which passes it on.</summary>
    public void Load(LaunchPlan plan, ContainerHandshake? handshake)
    {
        var listener = plan.NewCell();
        plan.Call("load the seccomp filter", SystemCall.seccomp, SECCOMP_SET_MODE_FILTER, (long)Flags, Program).To(listener);
        if (Listens)
        {
            var maker = handshake ?? throw new SpecException("linux.seccomp", "SCMP_ACT_NOTIFY needs somebody who listens");
            plan.SendDescriptor(maker.Socket, listener, "hand over the seccomp listener", [ContainerHandshake.Listener]);
            plan.Close(listener);
            maker.WaitForMaker(plan, "wait for the seccomp listener");
        }
    }
}
