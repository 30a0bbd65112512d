// Copies a letter that was finished on the page; nothing of it is sent.

const letter = document.querySelector('#letter')
const button = document.querySelector('[data-copy]')
const copied = document.querySelector('[data-copied]')

if (navigator.clipboard !== undefined) {
  button.hidden = false
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(letter.value)
    copied.textContent = copied.dataset.done
  })
}
